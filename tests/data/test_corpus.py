"""A directory of tokens that is opened: damage is found before anything is trained on it."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from data_building import corpus, lines

from jaxgpt import tokenizers
from jaxgpt.data import corpus as module
from jaxgpt.data.corpus import Corpus, open_corpus
from jaxgpt.data.index import fingerprint
from jaxgpt.data.positions import check_positions
from jaxgpt.data.shards import BLOCK, DamagedError
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position import Position

MEND = "; restore it, or make the directory anew by jaxgpt tokenize"


def flip(path, place):
    """Turn one bit of a file, and leave its time and size as they are."""
    data, status = bytearray(path.read_bytes()), path.stat()
    data[place] ^= 4
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A corpus of three pieces, the first larger than a block."""
    folder = tmp_path_factory.mktemp("corpus")
    return corpus(folder, text=lines(3000), piece_bytes=45_000).path


@pytest.fixture
def folder(made, tmp_path):
    """A copy to spoil."""
    shutil.copytree(made, tmp_path / "tokens")
    return tmp_path / "tokens"


@pytest.mark.parametrize("whole", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("name", ["train-00000.tokens", "train-00002.tokens"])
@pytest.mark.parametrize("place", [0, BLOCK - 1, BLOCK, -1, -13])
def test_a_turned_bit_is_found(folder, name, place, whole, monkeypatch):
    """In tokens or in checksums: of a small corpus when it is opened, of a large one when it is read."""
    assert (folder / name).stat().st_size > BLOCK + 1
    flip(folder / name, place)
    if not whole:
        monkeypatch.setattr(module, "CHECKED_WHOLE", 0)
    with pytest.raises(DamagedError, match=rf"{folder / name} is .*{MEND}"):
        found = Corpus(folder)
        found.windows("train", 10).batch(np.arange(found.windows("train", 10).num_examples))


def test_of_a_large_corpus_only_what_is_read_has_to_be_right(folder, monkeypatch):
    monkeypatch.setattr(module, "CHECKED_WHOLE", 0)
    expected = Corpus(folder).tokens("train")[:]
    flip(folder / "train-00001.tokens", BLOCK + 5)
    found = Corpus(folder)
    border, size = found.tokens("train").readers[0].shard.tokens, BLOCK // found.dtype.itemsize
    for places in (slice(0, border + size), slice(border + 2 * size, border + 2 * size + 9)):
        np.testing.assert_array_equal(found.tokens("train")[places], expected[places])
    for places in (slice(border + size, border + size + 1), slice(0, None)):
        with pytest.raises(
            DamagedError, match=r"train-00001.tokens is damaged: bytes 16,384 to 32,767 are not"
        ):
            found.tokens("train")[places]
    with pytest.raises(DamagedError, match="is damaged"):
        Corpus(folder, whole=True)


def test_damage_after_it_was_opened_is_found(folder):
    found = open_corpus(folder)
    found.tokens("train")[:10]
    flip(folder / "train-00000.tokens", 3)
    with pytest.raises(DamagedError, match="is damaged"):
        found.tokens("train")[:10]


@pytest.mark.parametrize("whole", [True, False], ids=["small", "large"])
def test_missing_cut_and_foreign_files_are_told(folder, whole, monkeypatch):
    if not whole:
        monkeypatch.setattr(module, "CHECKED_WHOLE", 0)
    path = folder / "train-00001.tokens"
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(DamagedError, match=f"{path} is missing{MEND}"):
        Corpus(folder)
    path.write_bytes(kept[:-1])
    with pytest.raises(DamagedError, match=rf"{path} has [\d,]+ bytes where [\d,]+ were written"):
        Corpus(folder)
    path.write_bytes(b"")
    with pytest.raises(DamagedError, match="has 0 bytes"):
        Corpus(folder)
    # A shard as it should be, of another text of the same length.
    other = folder.parent / "other"
    other.mkdir()
    corpus(other, text=lines(3000).replace("tides", "waves"), piece_bytes=45_000)
    index = json.loads((folder / "index.json").read_text())
    foreign = json.loads((other / "tokens" / "index.json").read_text())["shards"]["train"][1]
    index["shards"]["train"][1]["tokens"] = foreign["tokens"]
    index["fingerprint"] = fingerprint(index)
    (folder / "index.json").write_text(json.dumps(index))
    shutil.copy(other / "tokens" / foreign["file"], path)
    with pytest.raises(DamagedError, match="is another file than was written"):
        Corpus(folder)


def forge(folder, change, **index_values):
    """Change a shard's tokens in a copy as somebody does who makes every checksum fit."""
    index = json.loads((folder / "index.json").read_text())
    shard = index["shards"]["train"][0]
    path = folder / shard["file"]
    dtype = np.dtype(index["dtype"])
    tokens = np.frombuffer(path.read_bytes(), dtype, shard["tokens"]).copy()
    change(tokens)
    data = tokens.tobytes()
    checks = [zlib.crc32(data[i : i + BLOCK]) for i in range(0, len(data), BLOCK)]
    table = np.asarray(checks, "<u4").tobytes()
    path.write_bytes(data + table)
    shard["checksum"] = hashlib.sha256(table).hexdigest()
    write_index(folder, index | index_values)
    return path


def write_index(folder, index):
    index["fingerprint"] = fingerprint(index)
    (folder / "index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("whole", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("place", [0, BLOCK, -1])
@pytest.mark.parametrize("beyond", [0, 1, 1000, None])
def test_a_token_beyond_the_vocabulary_is_refused_whatever_its_checksums(
    folder, place, beyond, whole, monkeypatch
):
    if not whole:
        monkeypatch.setattr(module, "CHECKED_WHOLE", 0)
    size = Corpus(folder).tokenizer.vocab_size
    token = np.iinfo("<u2").max if beyond is None else size + beyond

    def put(value):
        return lambda tokens: tokens.__setitem__(place, value)

    path = forge(folder, put(token))
    with pytest.raises(DamagedError, match=rf"^{path} has the token {token} of a vocabulary of {size} ids"):
        Corpus(folder).tokens("train")[:]
    forge(folder, put(size - 1))
    assert size - 1 in Corpus(folder).tokens("train")[:]


def test_tokens_of_a_larger_vocabulary_than_the_tokenizers_are_refused(folder):
    smaller = tokenizers.build("characters", lambda: ["abc"])
    tokenizers.save(smaller, folder / "tokenizer.json")
    forge(folder, lambda tokens: None, tokenizer=smaller.fingerprint)
    with pytest.raises(DamagedError, match=r"has the token \d+ of a vocabulary of 6 ids"):
        Corpus(folder)


@pytest.mark.parametrize("tokens", [2**20, 2**38, 2**45])
@pytest.mark.parametrize("sparse", [False, True], ids=["as it was", "full of holes"])
def test_an_index_asks_for_no_more_memory_than_the_files_hold(folder, tokens, sparse):
    index = json.loads((folder / "index.json").read_text())
    shard = index["shards"]["train"][0]
    shard["tokens"] = shard["documents"] = tokens
    write_index(folder, index)
    if sparse and tokens < 2**40:  # larger files are beyond file systems
        size = tokens * np.dtype(index["dtype"]).itemsize
        with open(folder / shard["file"], "r+b") as file:
            file.truncate(size + 4 * -(-size // BLOCK))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError, match=f"^{folder / shard['file']} "):
            Corpus(folder)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_an_index_or_a_tokenizer_that_was_changed(folder):
    index = folder / "index.json"
    kept = index.read_text()
    index.write_text(kept.replace('"held_out": 0.1', '"held_out": 0.2'))
    with pytest.raises(DamagedError, match=f"{index} was changed{MEND}"):
        Corpus(folder)
    for text, message in [
        (kept[:-9], "cannot be read"),
        ("[]", "is no index of tokens"),
        ('{"format": "jaxgpt tokens 0"}', "is of the format 'jaxgpt tokens 0', not 'jaxgpt tokens 1'"),
    ]:
        index.write_text(text)
        with pytest.raises(ValueError, match=message):
            Corpus(folder)
    index.write_text(kept)
    tokenizers.save(tokenizers.build("characters", lambda: ["abc"]), folder / "tokenizer.json")
    with pytest.raises(DamagedError, match="is another tokenizer than the tokens are of"):
        _ = Corpus(folder).tokenizer
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DamagedError, match=r"tokenizer.json cannot be read .does not exist"):
        _ = Corpus(folder).tokenizer


def test_what_is_no_corpus(tmp_path):
    with pytest.raises(ValueError, match="does not exist; it should be a directory made by jaxgpt tokenize"):
        open_corpus(tmp_path / "none")
    with pytest.raises(ValueError, match=r"holds no tokens: there is no index.json"):
        open_corpus(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(ValueError, match="is not finished: give the same jaxgpt tokenize command again"):
        open_corpus(tmp_path)


def test_it_is_opened_once_and_anew_when_it_changes(folder):
    first = open_corpus(folder)
    assert open_corpus(str(folder)) is first
    (folder / "index.json").touch()
    assert open_corpus(folder) is not first


def test_more_shards_than_may_stay_open(folder, monkeypatch):
    expected = Corpus(folder).tokens("train")[:]
    monkeypatch.setattr("jaxgpt.data.shards.Reader._open_files", threading.Semaphore(1))
    np.testing.assert_array_equal(Corpus(folder).tokens("train")[:], expected)


def test_windows_see_every_token_once(made):
    found = Corpus(made)
    stream, windows = found.tokens("train")[:], found.windows("train", 37)
    rows = windows.batch(np.arange(windows.num_examples))["tokens"]
    assert rows.shape == (windows.num_examples, 38) and rows.dtype == found.dtype
    predicted = rows[:, 1:].reshape(-1)
    np.testing.assert_array_equal(predicted, stream[1 : 1 + len(predicted)])
    assert 0 <= len(stream) - 1 - len(predicted) < 37
    np.testing.assert_array_equal(rows[1:, 0], rows[:-1, -1])
    with pytest.raises(ValueError, match=r"too few for one window of model.max_length \+ 1 = 10000001"):
        found.windows("validation", 10**7)


@pytest.mark.parametrize("most", [500, 20_000, 10**6])
def test_excerpts_are_whole_documents_from_all_over(made, most):
    found = Corpus(made)
    excerpts = list(found.excerpts("train", most))
    texts = [found.tokenizer.decode(excerpt.ids.tolist()) for excerpt in excerpts]
    known = lines(3000).split("\n")
    numbers = [int(text.split()[1]) for text in texts if text in known]
    if most == 10**6:
        assert len(texts) == sum(shard["documents"] for shard in found.index["shards"]["train"])
        assert len(numbers) == len(texts)
    elif most == 20_000:  # 312 tokens a place
        assert len(numbers) == len(texts) > 200
    else:  # 7 tokens a place, less than any document
        assert len(texts) >= 64 and not numbers
        assert all(any(text.strip("\ufffd") in line for line in known) for text in texts)
        assert sum(excerpt.cut for excerpt in excerpts) > 32
    if most > 500:
        assert not any(excerpt.cut for excerpt in excerpts)
    if numbers:
        assert min(numbers) < 100 and max(numbers) > 2900
        assert numbers == sorted(numbers)


def test_positions_are_looked_up_in_all_windows(tmp_path):
    """Abacus has a place for so many digits: the longest number in any window decides."""
    text = lines(300) + "".join(f"Number {10**12 + n}\n" for n in range(20))
    found = corpus(tmp_path, text=text, tokenizer="digits")
    windows = found.windows("train", 20)
    read = windows.batch(np.arange(windows.num_examples))["tokens"][:, :-1]
    longest = max(len(number) for row in read for number in re.findall(r"\d+", found.tokenizer.decode(row)))
    assert longest > 5
    position = Position.named("abacus")
    ids = tuple(found.tokenizer.encode("0123456789"))
    for most, fits in ((longest + 1, True), (longest, False)):  # vector 0 is that of no digit
        config = ModelConfig(position=position(max_position=most, max_offset=0, digit_ids=ids))
        expected = (
            contextlib.nullcontext() if fits else pytest.raises(ValueError, match=f"position {longest},")
        )
        with expected:
            check_positions(config, windows)
