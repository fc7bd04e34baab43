"""Files of text made into a directory of tokens: what is in it, however it came about."""

import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from data_building import corpus, lines
from tiny_runs import REPOSITORY, one_line
from variants import often

from jaxgpt import tokenizers
from jaxgpt.data.corpus import Corpus
from jaxgpt.data.documents import Documents, pieces
from jaxgpt.data.stream import build_stream
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.data.training_sample import drawn, training_sample
from jaxgpt.task import SPLITS, Example, Task

BENGALI = "".join(f"মাছ {n} টি, déjà vu №{n}\n" for n in range(200))


def contents(folder) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


@pytest.mark.parametrize("spec", ["bytes", "bpe:300", "characters", "digits", "saved"])
@pytest.mark.parametrize("text", [lines(300), BENGALI], ids=["lines", "bengali"])
def test_the_tokens_are_those_of_the_text_in_one_piece(tmp_path, spec, text):
    if spec == "saved":
        (tmp_path / "mine").mkdir()
        tokenizers.save(tokenizers.build("bpe:280", lambda: [text]), tmp_path / "mine" / "tokenizer.json")
        spec = str(tmp_path / "mine")
    found = corpus(tmp_path, text=text, tokenizer=spec)
    assert len(found.tokens("train").readers) > 1
    task, documents = Task(held_out=0.1), [line for line in text.split("\n") if line]
    for split in SPLITS:
        examples = [e for e in (Example("", document) for document in documents) if task.split_of(e) == split]
        expected = build_stream(examples, found.tokenizer, window=1).stream
        np.testing.assert_array_equal(found.tokens(split)[:], expected)
        assert found.dtype.itemsize == expected.dtype.itemsize  # the narrowest
        shards = found.index["shards"][split]
        assert sum(shard["documents"] for shard in shards) == len(examples)


def test_slices_over_several_shards_are_those_of_one_array(tmp_path):
    tokens = corpus(tmp_path).tokens("train")
    whole = tokens[:]
    assert len(tokens) == len(whole) and len(tokens.readers) == 3
    border = tokens.readers[0].shard.tokens
    for places in [slice(0, 1), slice(border - 1, border + 1), slice(border, border + 5), slice(7, 7)]:
        np.testing.assert_array_equal(tokens[places], whole[places])
    np.testing.assert_array_equal(tokens[border - 3 : len(whole) + 9], whole[border - 3 :])


def test_any_array_library_can_map_a_shard(tmp_path):
    found = corpus(tmp_path, tokenizer="bpe:300")
    shard = found.index["shards"]["train"][1]
    mapped = np.memmap(found.path / shard["file"], found.dtype, "r", shape=shard["tokens"])
    np.testing.assert_array_equal(mapped, found.tokens("train").readers[1].read(0, shard["tokens"]))


def test_the_number_of_processes_changes_nothing(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(lines(300), encoding="utf-8")
    options = {"tokenizer": "bpe:300", "documents": "lines", "held_out": 0.1, "piece_bytes": 4000}
    for workers in (1, 3):
        tokenize([str(text)], tmp_path / str(workers), workers=workers, **options)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_a_tokenizer_learns_from_all_over_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr("jaxgpt.data.tokenizing.LEARNED_FROM", 4000)
    text = lines(2000) + "".join(f"zyzzyva {n}\n" for n in range(2000))
    found = corpus(tmp_path, text=text, tokenizer="bpe:300", piece_bytes=2**26)
    assert any("zy" in piece for piece in found.tokenizer.token_texts())


def test_a_sample_holds_so_many_bytes_of_training_text_from_all_over(tmp_path):
    texts, files = [], []
    for name, count in (("few", 400), ("many", 1600)):
        own = [f"{name[0]}{n:06} naïve ж" for n in range(count)]
        (tmp_path / name).write_text("\n".join(own) + "\n", encoding="utf-8")
        files.append((str(tmp_path / name), (tmp_path / name).stat().st_size))
        texts += own
    cut, most = Documents.of("lines"), 3600
    parts = pieces(files, 20_000, cut)
    assert len(parts) == 2 and len(parts[0]) == 2  # a piece of two files, and the rest of the second
    sample = training_sample(parts, cut, 0.1, most, workers=1)
    assert training_sample(parts, cut, 0.1, most, workers=2) == sample
    size = sum(len(text.encode()) for text in sample)
    assert most - 2 * len(texts[0].encode()) < size <= most  # both pieces have no room for one more
    places = [texts.index(text) for text in sample]
    assert places == sorted(set(places))
    assert np.bincount(np.asarray(places) * 10 // len(texts), minlength=10).min() >= 5  # of about 21
    task = Task(held_out=0.1)
    assert {task.split_of(Example("", text)) for text in sample} == {"train"}
    training = [text for text in texts if task.split_of(Example("", text)) == "train"]
    assert training_sample(parts, cut, 0.1, 10**6, workers=1) == training


def test_a_text_larger_than_the_sample_is_cut_between_characters():
    assert drawn(["жжж"], 5, random.Random(0)) == ["жж"]
    assert drawn(["abc", "def"], 0, random.Random(0)) == []


SCRIPT = """
import sys
from jaxgpt.data.tokenizing import tokenize
if __name__ == "__main__":
    tokenize([sys.argv[1]], __import__("pathlib").Path(sys.argv[2]), tokenizer="bpe:300", documents="lines",
             held_out=0.1, piece_bytes=10_000, workers=2)
"""


@pytest.mark.thorough
def test_killed_at_any_moment_it_goes_on(tmp_path):
    """Killed with all of its memory, twice; what is there in the end is as if it never was."""
    text = tmp_path / "text.txt"
    text.write_text(lines(15_000), encoding="utf-8")
    (tmp_path / "script.py").write_text(SCRIPT)
    options = {"tokenizer": "bpe:300", "documents": "lines", "held_out": 0.1, "piece_bytes": 10_000}
    whole = tokenize([str(text)], tmp_path / "whole", say=lambda line: None, **options)
    folder, reached = tmp_path / "tokens", 0
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, tmp_path / "script.py", text, folder],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while len(list((folder / "pieces").glob("*.json"))) < reached + 5:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.005)
        workers = children(process.pid)
        process.kill()
        process.wait()
        assert gone(workers), "a worker process outlived the one that started it"
        finished = len(list((folder / "pieces").glob("*.json")))
        assert reached + 5 <= finished < len(whole.tokens("train").readers)
        reached = finished
        with pytest.raises(ValueError, match="is not finished: give the same jaxgpt tokenize command again"):
            Corpus(folder)
    (folder / ".train-00099.tokens.tmp").write_bytes(b"left behind")
    # What a record promises and is not there is made again: a file that never reached the disk, say.
    (folder / "train-00001.tokens").write_bytes(b"")
    (folder / "train-00002.tokens").unlink()
    said = []
    before = {
        p.name: p.stat().st_mtime_ns
        for p in folder.glob("train-*[3-9].tokens")
        if p.name < f"train-{reached - 9:05}"
    }
    tokenize([str(text)], folder, say=said.append, **options)
    assert said[0] == f"going on: {reached - 2} of {len(whole.tokens('train').readers)} pieces are finished"
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before  # kept, not made again
    assert contents(folder) == contents(tmp_path / "whole")


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(path.parent.name))
    assert len(found) >= 2
    return found


def gone(processes: list[int]) -> bool:
    end = time.monotonic() + 20
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > end:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return False
        time.sleep(0.01)
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("packed", often([False, True], (False,)), ids=["plain", "packed"])
def test_memory_does_not_grow_with_the_text(tmp_path, packed):
    """Four times the text, a tenth more memory at most."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    code = (
        "import sys; from pathlib import Path; from jaxgpt.data.tokenizing import tokenize\n"
        "tokenize([sys.argv[1]], Path(sys.argv[2]), documents='lines')\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    found = []
    for number in (1, 4):
        data = (lines(60_000) * number).encode()
        (tmp_path / f"{number}.txt").write_bytes(gzip.compress(data, 1) if packed else data)
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / f"{number}.txt", tmp_path / str(number)],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        found.append(int(done.stdout.splitlines()[-1]))
    assert found[1] < 1.1 * found[0]


def test_workers_do_not_load_jax(tmp_path):
    code = "import sys, jaxgpt.data.tokenizing, jaxgpt.cli.tokenize; print('jax' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokenizer": "bpe:300"}, "--tokenizer was bytes, not bpe:300"),
        ({"documents": "blocks"}, "--documents was lines, not blocks"),
        ({"held_out": 0.2}, "--held-out was 0.1, not 0.2"),
        ({"piece_bytes": 5000}, "--piece-mib was 4000, not 5000"),
        ({"text": lines(301)}, "text.txt has changed since"),
    ],
)
def test_what_was_begun_otherwise_is_refused(tmp_path, change, message):
    corpus(tmp_path)
    if "text" not in change:
        change = change | {"text": None}
        (tmp_path / "text.txt").chmod(0o600)
        os.utime(tmp_path / "text.txt")
    with pytest.raises(ValueError, match=f"{message}; give the command as it was, remove the directory"):
        corpus(tmp_path, **change)


def test_a_tokenizer_that_changed_in_its_directory_is_refused(tmp_path):
    for size in (280, 290):
        tokenizers.save(tokenizers.build(f"bpe:{size}", lambda: [lines(50)]), tmp_path / "mine.json")
        if size == 280:
            corpus(tmp_path, tokenizer=str(tmp_path / "mine.json"))
    with pytest.raises(ValueError, match=r"the tokenizer .*mine.json has changed"):
        tokenize(
            [str(tmp_path / "text.txt")],
            tmp_path / "tokens",
            tokenizer=str(tmp_path / "mine.json"),
            documents="lines",
            held_out=0.1,
            piece_bytes=4000,
        )


def test_mistakes_end_in_one_line(tmp_path, jaxgpt):
    text, bad = tmp_path / "text.txt", tmp_path / "bad.txt"
    text.write_text(lines(100), encoding="utf-8")
    bad.write_bytes(b"good\n\xff\n")
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.tex").write_text("mine")
    within = tmp_path / "within"
    within.mkdir()
    (within / "text.txt").write_text("x\n")
    out = tmp_path / "out"
    for words, message in [
        ((text,), "tokenize needs files of text and --output DIR"),
        (("--output", out), "tokenize needs files of text and --output DIR"),
        ((text, "--output", taken), "holds thesis.tex; name a new or an empty directory"),
        ((within, "--output", within), "lies in "),
        ((within / "text.txt", "--output", within), "lies in --output"),
        ((empty, "--output", out), "there is no text"),
        ((tmp_path / "no.txt", "--output", out), "no.txt does not exist"),
        ((text, "--output", out, "--held-out", "much"), "--held-out much: a share such as 0.01"),
        ((text, "--output", out, "--held-out", "0.5"), "must be above 0 and below 0.5"),
        ((text, "--output", out, "--workers", "0"), "--workers 0: a whole number of at least 1"),
        ((text, "--output", out, "--split", "x"), "no option --split"),
        ((text, "--output", out / "a", "--tokenizer", "bite"), "did you mean bytes"),
        ((text, "--output", out / "b", "--tokenizer", "xval"), "a number as one token"),
        ((bad, "--output", out / "c"), "bad.txt: byte 5 is 0xff, which is not UTF-8"),
        ((text, bad, "--output", out / "d", "--workers", "2", "--piece-mib", "1"), "byte 5 is 0xff"),
        ((text, "--output", out / "e", "--held-out", "0.000001", "--documents", "lines"), "none is in"),
    ]:  # fmt: skip
        status, _, errors = jaxgpt("tokenize", *words)
        assert status == 2 and message in one_line(errors), (words, errors)
    # What a sample of the text does not show, a tokenizer that learned from it cannot read.
    tokenize([str(text)], out / "f", tokenizer="characters", held_out=0.3, documents="blocks:100")
    (tmp_path / "new.txt").write_text(lines(100) + "ж", encoding="utf-8")
    words = (tmp_path / "new.txt", "--output", out / "g", "--tokenizer", out / "f" / "tokenizer.json")
    message = r"new.txt: the character 'ж'"
    assert message in one_line(jaxgpt("tokenize", *words)[2])


@pytest.mark.parametrize("place", ["", "new", "new/er", "there", ".hidden"])
def test_tokens_among_their_texts_are_refused_at_once(tmp_path, place):
    """They would be text when the command is given again."""
    texts = tmp_path / "texts"
    (texts / "there").mkdir(parents=True)
    (texts / "text.txt").write_text(lines(100), encoding="utf-8")
    (tmp_path / "link").symlink_to(texts)
    for given in (texts, tmp_path / "link"):
        with pytest.raises(ValueError, match=r"\A--output .* lies in .*; choose a directory elsewhere\Z"):
            tokenize([str(given)], texts / place, documents="lines", held_out=0.1)
    assert sorted(path.name for path in texts.rglob("*")) == ["text.txt", "there"]
    tokenize([str(texts)], tmp_path / "texts-2", documents="lines", held_out=0.1)


def test_what_a_split_without_a_document_is_told_to_do_is_done(tmp_path, jaxgpt):
    text, out = tmp_path / "text.txt", tmp_path / "out"
    text.write_text(lines(100), encoding="utf-8")
    words = ("tokenize", text, "--documents", "lines", "--output")
    few, more = ("--held-out", "0.000001"), ("--held-out", "0.1")
    told = f"{out}: of 86 documents none is in validation; remove the directory, or name another --output, "
    for _ in range(2):  # the same command says the same
        status, _, errors = jaxgpt(*words, out, *few)
        assert status == 2 and f"{told}and give a larger --held-out" in one_line(errors)
    assert "was begun otherwise" in one_line(jaxgpt(*words, out, *more)[2])
    assert jaxgpt(*words, tmp_path / "other", *more)[0] == 0
    shutil.rmtree(out)
    assert jaxgpt(*words, out, *more)[0] == 0


def test_without_training_text_less_is_to_be_held_out(tmp_path):
    (tmp_path / "text.txt").write_text(" \n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"of 0 documents none is in train; remove .* give a smaller --held-"
    ):
        tokenize([str(tmp_path / "text.txt")], tmp_path / "out", documents="separated:")


def test_the_command(tmp_path, jaxgpt):
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(lines(200) * 20, encoding="utf-8")
    words = (tmp_path / "a.txt", tmp_path / "b.txt", "--output", tmp_path / "out", "--documents", "lines")
    status, output, errors = jaxgpt("tokenize", *words, "--held-out", "0.1", "--tokenizer", "bpe:300")
    assert status == 0, errors
    assert "train on it: jaxgpt train tokens --task.path" in output
    assert "300 ids, 16 bits each (bpe:300)" in output
    found = Corpus(tmp_path / "out")
    assert f"train       {len(found.tokens('train')):,} tokens in " in output
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert [Path(path).name for path, _, _ in plan["texts"]] == ["a.txt", "b.txt"]
    before = contents(tmp_path / "out")
    status, output, _ = jaxgpt("tokenize", *words, "--held-out", "0.1", "--tokenizer", "bpe:300")
    assert status == 0 and "is finished, and all of it is as it was written" in output
    assert contents(tmp_path / "out") == before
    assert "--documents WHAT" in jaxgpt("tokenize", "--help")[1]


def test_two_commands_at_once(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(lines(100), encoding="utf-8")
    inside = []

    def progress(done, total):
        if not inside:
            inside.append(True)
            with pytest.raises(ValueError, match=r"is in use by process .*name another --output"):
                tokenize([str(text)], tmp_path / "out", documents="lines", held_out=0.1)

    tokenize([str(text)], tmp_path / "out", documents="lines", held_out=0.1, progress=progress)
    assert inside


def test_progress_reaches_the_whole(tmp_path):
    told = []
    corpus(tmp_path, progress=lambda done, total: told.append((done, total)), text="\ufeff" + lines(300))
    size = (tmp_path / "text.txt").stat().st_size
    assert told[-1] == (size, size) and [done for done, _ in told] == sorted(done for done, _ in told)
