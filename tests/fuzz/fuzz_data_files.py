"""Files of data that a person names: text, pairs, sentences, tables."""

import dataclasses
from itertools import islice
from pathlib import Path
from random import Random

from fuzz_mutators import VALUES, data
from fuzz_subjects import Subject

from jaxgpt.task import Task

LINES = "".join(f"{n}+{n + 1}=\t{2 * n + 1}\n" for n in range(60))
FILES = {
    "pairs.tsv": LINES,
    "text.txt": "".join(f"Line {n} of a tale: {n * n} tides.\n" for n in range(200)),
    "sentences.txt": "".join(f"One sentence {n}. Another one.\nA third {n}.\n\n" for n in range(60)),
    "table.csv": "title,story\n" + "".join(f'"Tale {n}","It was, {n} times, so."\n' for n in range(60)),
    "rows.jsonl": "".join(f'{{"text": "row {n} is a row of a file", "n": {n}}}\n' for n in range(60)),
}
#: The tasks that read files, and the field that must be set beside the path.
TASKS = {
    "pairs": {},
    "text": {},
    "sentence_pairs": {},
    "scrambled": {},
    "misspelled": {},
    "truecasing": {},
    "synopses": {"text_column": "story", "min_characters": 5},
}


def read(path: Path, rng: Random) -> None:
    file = next(iter(path.iterdir()))
    name = rng.choice(sorted(TASKS))
    cls = Task.named(name)
    known = {field.name for field in dataclasses.fields(cls)}
    given = {k: v for k, v in TASKS[name].items() if k in known}
    task = cls(path=str(file), **given)
    for split in ("train", "validation"):
        for example in islice(task.examples(split), 20):
            task.split_of(example)


def spoil(path: Path, rng: Random) -> str:
    """Damage one file, or put a hostile text in it; the others are left out."""
    for other in sorted(path.iterdir())[1:]:
        other.unlink()
    file = next(iter(path.iterdir()))
    if rng.random() < 0.5:
        return f"{file.name}: {data(file, rng)}"
    text = str(rng.choice(VALUES)).encode("utf-8", "replace")
    whole = file.read_bytes()
    place = rng.randrange(len(whole) + 1)
    text *= rng.choice((1, 1, 40))
    file.write_bytes(whole[:place] + text + rng.choice((b"", b"\n", b"\t", b'"', b",")) + whole[place:])
    return f"{file.name}: put {text[:30]!r} at {place}"


def subject(folder: Path) -> Subject:
    made = []
    for name, text in FILES.items():
        path = folder / name.replace(".", "-")
        path.mkdir()
        (path / name).write_text(text)
        made.append(path)
    return Subject(tuple(made), read, spoil)
