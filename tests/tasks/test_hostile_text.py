"""Files that are no text, half text, or text that no one would write: read, or refused at once in one line.

Each case is made of its number alone; a failure names it. JAXGPT_FUZZ sets how many the thorough tests try.
"""

import bz2
import gzip
import json
import lzma
import os
import random
import time
import tracemalloc

import pytest

from tasks.misspelled import Misspelled
from tasks.names import Names
from tasks.pairs import Pairs
from tasks.scrambled import Scrambled
from tasks.sentence_pairs import SentencePairs
from tasks.synopses import Synopses
from tasks.text import Text
from tasks.translation import Translation
from tasks.truecasing import Truecasing

TASKS = {
    "text": lambda path, rng: Text(path=path, split_by=rng.choice(["blocks", "tail"])),
    "names": lambda path, rng: Names(path=path, split_by=rng.choice(["words", "makemore"])),
    "pairs": lambda path, rng: Pairs(path=path, texts=rng.choice([0, 1])),
    "sentence_pairs": lambda path, rng: SentencePairs(path=path),
    "scrambled": lambda path, rng: Scrambled(path=path, exchange=rng.choice(["neighbours", "any"])),
    "misspelled": lambda path, rng: Misspelled(path=path, share=rng.choice([0.3, 1.0])),
    "truecasing": lambda path, rng: Truecasing(path=path, words=rng.choice([1, 12])),
    "translation": lambda path, rng: Translation(path=path, joined=rng.choice([1, 2])),
    "synopses": lambda path, rng: Synopses(
        path=path,
        text_column=rng.choice([None, None, "text", "1", "9" * 50, "é" * 400]),
        delimiter=rng.choice([None, None, "tab", ";"]),
        min_characters=0,
    ),
}
MANY = int(os.environ.get("JAXGPT_FUZZ", "500"))
SUFFIXES = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".csv.gz", "")
ATOMS = [
    *('"', "'", ",", ";", "\t", "|", "\n", "\r\n", "\r\r\n", "\r", " ", "\u3000", "\u2028", "\x0b", "\0"),
    *("{", "}", "[", "]", ":", '{"text": ', '{"text": "a"}', '[{"a": 1}]', "null", "1e999", "9" * 5000, "\\"),
    *(
        "(Source:",
        ")",
        "sep=;\n",
        "text,",
        "a. B",
        "word",
        "\ufeff",
        "\U000e0001",
        "é",
        "\U0001f600",
        "\ud7ff",
    ),
]
PACKINGS = (
    lambda data: gzip.compress(data, 1),
    lambda data: bz2.compress(data, 1),
    lambda data: lzma.compress(data, preset=0),
)
#: Patterns take the square of these, and messages quoted them.
LONG = 20_000
COLUMNS = 3_000


def hostile(rng: random.Random) -> bytes:
    """The bytes of a case: atoms, one atom again and again, a wide table, sparse or nested JSON, damage."""
    kind = rng.randrange(7)
    if kind == 0:
        text = "".join(rng.choices(ATOMS, k=rng.randrange(200)))
    elif kind == 1:
        atom = rng.choice(ATOMS)
        text = (
            "".join(rng.choices(ATOMS, k=4)) + atom * (LONG // len(atom)) + "".join(rng.choices(ATOMS, k=4))
        )
    elif kind == 2:
        row = rng.choice(",;\t|").join(rng.choice(ATOMS).strip() or "x" for _ in range(COLUMNS))
        text = "\n".join([row] * rng.randint(1, 3))
    elif kind == 3:
        rows = [{f"{rng.random()}": rng.choice(ATOMS) for _ in range(20)} for _ in range(300)]
        text = (
            json.dumps(rows, indent=rng.choice([None, 1]))
            if rng.random() < 0.5
            else "\n".join(map(json.dumps, rows))
        )
    elif kind == 4:
        text = rng.choice(["[", '{"a":', "[[{", '{"text": "x"}, ']) * LONG
    elif kind == 5:
        return rng.randbytes(rng.randrange(3000))
    else:
        text = "A sentence. Another one.\tanswer\n" * rng.randrange(300)
    data = text.encode(rng.choice(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"]))
    data = rng.choice([bytes, bytes, bytes, *PACKINGS])(data)
    if data and rng.random() < 0.3:  # a bit flipped, a piece lost, the end cut off
        place = rng.randrange(len(data))
        rest = rng.choice([data[place:], data[place + 9 :], b""])
        data = data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + rest
    return data


def check(path, seed: int) -> str:
    """Read a case by every task; what went wrong, or nothing."""
    rng = random.Random(seed)
    path = path / f"case{seed}{rng.choice(SUFFIXES)}"
    path.write_bytes(hostile(rng))
    for name, make in TASKS.items():
        began = time.process_time()
        try:
            task = make(str(path), rng)
            for split in ("train", "test"):
                for _ in zip(range(5), task.questions(split), strict=False):
                    pass
        except ValueError as error:
            said = str(error)
            if "task.delimiter" not in said and not said.startswith(str(path)):
                return f"{seed} {name}: does not begin with the file: {said[:200]}"
            if len(said) > 300 or not said.isprintable():
                return f"{seed} {name}: {len(said)} characters: {said[:200]}"
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            return f"{seed} {name}: {type(error).__name__}: {error}"[:300]
        if (took := time.process_time() - began) > 2:
            return f"{seed} {name}: {took:.1f} s"
    path.unlink()
    return ""


@pytest.mark.thorough
@pytest.mark.parametrize(
    "seeds",
    [
        range(50),
        pytest.param(range(50, 250), marks=pytest.mark.thorough),
        pytest.param(range(10**5, 10**5 + MANY), marks=pytest.mark.thorough, id="many"),
    ],
)
def test_hostile_files_are_read_or_refused_at_once_in_one_line(tmp_path, seeds):
    wrong = [found for seed in seeds if (found := check(tmp_path, seed))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.thorough
def test_hostile_files_take_no_memory_to_speak_of(tmp_path):
    tracemalloc.start()
    try:
        for seed in range(250, 280):
            check(tmp_path, seed)
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("atom", ["\n", " ", "\t", "\r", "{", '{"a":', "(Source:", '"', "\u3000", ",", "a. "])
def test_a_long_run_takes_no_square_of_time(tmp_path, task, atom):
    """Ten times the length of what took a minute."""
    path = tmp_path / "run.txt"
    path.write_text("x" + atom * 50_000 + "x", encoding="utf-8")
    began = time.process_time()
    try:
        for _ in TASKS[task](str(path), random.Random(1)).examples("train"):
            pass
    except ValueError as error:
        assert len(str(error)) <= 300
    assert time.process_time() - began < 2
