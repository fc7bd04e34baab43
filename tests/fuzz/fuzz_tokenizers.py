"""Tokenizers in files of every form: ours, of every kind, and those of transformers."""

import contextlib
import json
import re
from pathlib import Path
from random import Random

from fuzz_mutators import change, data, readable
from fuzz_subjects import Subject

from jaxgpt import tokenizers
from jaxgpt.tokenizers import directory, to_json
from jaxgpt.tokenizers._published import byte_level
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

TEXT = "How should a transformer read numbers? 13 + 829 = 842, -7 * 6 = -42 and 3.25.\n" * 4
SPECS = (
    *("bytes", "bpe:300", "characters", "sentencepiece:300", "sentencepiece:300:bpe", "whole"),
    *("digits:2:left:bpe:270", "fixed:4:bytes", "10e:4:bytes", "base:16:bytes", "words:bytes"),
    *("spaced:bytes", "subset:bpe:270", "xval:2:bytes", "fone:4:2:bytes", "bittokens:bytes"),
)
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "1", "##2")
SETTINGS = {
    "added_tokens_decoder": {"0": {"content": "[PAD]", "special": True}},
    "eos_token": {"content": "[SEP]"},
    "do_lower_case": True,
    "model_max_length": 512,
}


def read(path: Path, rng: Random) -> None:
    """Load it; where the checksum alone tells of a change, as if it told nothing."""
    for _ in range(4):  # one checksum for each level of bases
        try:
            found = directory.load(path)
            break
        except ValueError as error:
            if not (told := re.search(r"fingerprint is (\w{16}), its file records '(\w{16})'", str(error))):
                raise
            file = path / "tokenizer.json"
            file.write_text(file.read_text().replace(told[2], told[1]))
    else:
        return
    assert len(found.token_texts()) == found.vocab_size
    special = (found.pad_id, found.bos_id, found.eos_id, *found.begin_ids, *found.end_ids)
    assert all(0 <= i < found.vocab_size for i in (*special, found.mask_id or 0, found.number_id or 0))
    found.form()
    found.number_encoding()
    for text in ("7+12=19", "a b"):
        with contextlib.suppress(OutsideAlphabet):  # another alphabet is one, too
            ids = found.encode(text)
            assert all(0 <= i < found.vocab_size for i in ids)
            found.decode(ids)


def spoil(path: Path, rng: Random) -> str:
    """Mostly one value of a JSON file."""
    file = rng.choice(sorted(file for file in path.iterdir() if readable(file)))
    if file.suffix != ".json" or rng.random() < 0.1:
        return f"{file.name}: {data(file, rng)}"
    try:
        root = {"": json.loads(file.read_text(encoding="utf-8"))}
    except (ValueError, RecursionError):  # what an earlier change has left
        return f"{file.name}: {data(file, rng)}"
    what = change(root, rng)
    file.write_text(json.dumps(root[""]), encoding="utf-8")
    return f"{file.name}: {what}"


def subject(folder: Path) -> Subject:
    made = []
    for number, spec in enumerate(SPECS):
        made.append(folder / str(number))
        _write(made[-1], {"tokenizer.json": to_json(tokenizers.build(spec, lambda: [TEXT]))})
    pairs = tokenizers.build("bpe:270", lambda: [TEXT])
    theirs = byte_level(pairs.vocab, pairs.merges)
    _write(folder / "huggingface", {"tokenizer.json": theirs, "tokenizer_config.json": SETTINGS})
    _write(folder / "byte pairs", {"vocab.json": pairs.vocab, "special_tokens_map.json": {"bos_token": "a"}})
    merges = "".join(f"{a} {b}\n" for a, b in pairs.merges)
    (folder / "byte pairs" / "merges.txt").write_text(merges, encoding="utf-8")
    _write(folder / "words", {"tokenizer_config.json": SETTINGS, "config.json": {"bos_token_id": 2}})
    (folder / "words" / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return Subject((*made, folder / "huggingface", folder / "byte pairs", folder / "words"), read, spoil)


def _write(path: Path, files: dict) -> None:
    path.mkdir()
    for name, values in files.items():
        (path / name).write_text(json.dumps(values), encoding="utf-8")
