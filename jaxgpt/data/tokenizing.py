"""Files of text made into a directory of tokens, piece by piece.

Each piece of the text is a shard of each split; what is in it follows from the text and the settings alone,
not from how many processes there were. A piece whose record lies in `DIR/pieces` is finished. When all are,
`index.json` is written, and the directory is one that `jaxgpt.data.corpus` opens.
"""

import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxgpt import tokenizers
from jaxgpt.core import foreign, locks, printing
from jaxgpt.core.paths import expanded, make_folder
from jaxgpt.core.wording import one_line
from jaxgpt.core.writing import write_atomically
from jaxgpt.data.corpus import TOKENIZER, Corpus
from jaxgpt.data.documents import Documents, find_files, pieces, read_lines
from jaxgpt.data.index import FORMAT, INDEX, PLAN, fingerprint
from jaxgpt.data.piece import RECORDS, Given, finished, make_piece, record
from jaxgpt.data.rows import narrowest
from jaxgpt.data.training_sample import training_sample
from jaxgpt.data.workers import spread
from jaxgpt.task import SPLITS
from jaxgpt.tokenizers.tokenizer import CorpusTexts, Tokenizer

#: Bytes of text in a piece, at least; a larger text has larger ones, so that it has no more than `_PIECES`.
PIECE_BYTES = 2**26
_PIECES = 1024
#: Bytes of text that a tokenizer learns from, at most.
LEARNED_FROM = 2**24

Say = Callable[[str], None]


def tokenize(
    texts: Iterable[str],
    folder: Path,
    *,
    tokenizer: str = "bytes",
    documents: str = "blocks",
    held_out: float = 0.01,
    piece_bytes: int | None = None,
    workers: int = 1,
    say: Say = printing.say,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Corpus:
    """Make a directory of tokens, or go on with one.

    Args:
      texts: files of UTF-8 text, or directories of them.
      folder: the directory to make.
      tokenizer: a short name or a directory, as `jaxgpt.tokenizers.build`.
      documents: as `Documents.of`.
      held_out: share of the documents in validation, and again in test.
      piece_bytes: of text that become one shard.
      workers: processes.
      progress: called with bytes done and in all.

    Raises:
      ValueError: for what does not fit, in one line; if the directory was begun with other text or settings.
    """
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held-out {held_out:g} must be above 0 and below 0.5")
    cut = Documents.of(documents)
    folder = expanded(folder)
    found = _found(texts, folder)
    total = sum(size for _, size, _ in found)
    piece_bytes = piece_bytes or max(PIECE_BYTES, -(-total // _PIECES))
    plan = {
        "format": FORMAT,
        "tokenizer": tokenizer,
        "documents": documents,
        "held_out": held_out,
        "piece_bytes": piece_bytes,
        "texts": [list(text) for text in found],
    }
    # First, since it refuses files that are no text.
    jobs = pieces([(file, size) for file, size, _ in found], piece_bytes, cut)
    make_folder(folder)
    with locks.held(folder, instead="name another --output") as note:
        if note:
            say(note)
        _check_plan(folder, plan)
        built = _tokenizer(folder, plan, jobs, cut, workers, say)
        if (folder / INDEX).is_file():
            shutil.rmtree(folder / RECORDS, ignore_errors=True)
            corpus = Corpus(folder, whole=True)
            say(f"{folder} is finished, and all of it is as it was written")
            return corpus
        for left in folder.glob(".*.tmp"):  # of a process that was killed
            left.unlink()
        (folder / RECORDS).mkdir(exist_ok=True)
        todo = [(k, job) for k, job in enumerate(jobs) if not finished(folder, k, built)]
        if len(todo) < len(jobs):
            say(f"going on: {len(jobs) - len(todo)} of {len(jobs)} pieces are finished")
        given = Given(tokenizers.to_json(built), cut, held_out, str(folder))
        _make_pieces(given, todo, total, workers, progress)
        return _finish(folder, len(jobs), built, held_out)


def _found(texts: Iterable[str], folder: Path) -> list[tuple[str, int, int]]:
    """Each file of text with its size in bytes and the time of its last change."""
    texts, output = list(texts), folder.resolve()
    around = [text for text in texts if (place := expanded(text)).is_dir() and _holds(place, output)]
    if around:  # what is written there would be text the next time
        raise ValueError(
            f"--output {folder} lies in {around[0]}, whose files are the text; choose a directory elsewhere"
        )
    files = find_files(texts)
    inside = next((file for file in files if _holds(output, Path(file))), None)
    if inside is not None:
        raise ValueError(f"{inside} lies in --output {folder}; choose a directory elsewhere")
    stats = [os.stat(file) for file in files]
    if not any(status.st_size for status in stats):
        raise ValueError(f"{', '.join(files[:3])}: there is no text")
    return [(file, status.st_size, status.st_mtime_ns) for file, status in zip(files, stats, strict=True)]


def _holds(folder: Path, path: Path) -> bool:
    """Whether a path, without links in it, is a folder or lies below it."""
    return path.is_relative_to(folder.resolve())


def _make_pieces(
    given: Given, todo: list, total: int, workers: int, progress: Callable[[int, int], None]
) -> None:
    """Make the pieces that are not finished, each a number and its parts of files."""
    done = total - sum(stop - start for _, job in todo for _, start, stop in job)

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    for _ in spread(make_piece, given, todo, workers=min(workers, max(len(todo), 1)), tell=tell):
        pass


def _finish(folder: Path, count: int, tokenizer: Tokenizer, held_out: float) -> Corpus:
    """Gather the records into the index."""
    found = [json.loads(record(folder, number).read_text(encoding="utf-8")) for number in range(count)]
    shards = {split: [piece[split] for piece in found if split in piece] for split in SPLITS}
    documents = {split: sum(shard["documents"] for shard in shards[split]) for split in SPLITS}
    for split in SPLITS:
        if not documents[split]:
            share, other = ("smaller", "more text") if split == "train" else ("larger", "smaller documents")
            raise ValueError(
                f"{folder}: of {sum(documents.values())} documents none is in {split}; remove the directory, "
                f"or name another --output, and give a {share} --held-out or {other}"
            )
    index = {
        "format": FORMAT,
        "tokenizer": tokenizer.fingerprint,
        "dtype": narrowest(tokenizer.vocab_size).newbyteorder("<").str,
        "held_out": held_out,
        "shards": shards,
    }
    index["fingerprint"] = fingerprint(index)
    write_atomically(folder / INDEX, json.dumps(index, indent=1) + "\n")
    shutil.rmtree(folder / RECORDS)
    return Corpus(folder)


class _Learns(Exception):
    """A tokenizer asked for text to learn from."""


def _tokenizer(folder: Path, plan: dict, jobs: list, cut: Documents, workers: int, say: Say) -> Tokenizer:
    """The directory's tokenizer, which is learned once; the plan is written when it is there."""
    path, spec = folder / TOKENIZER, plan["tokenizer"]

    def none() -> Iterable[str]:
        raise _Learns

    @functools.cache
    def text() -> list[str]:
        say(f"{spec} learns from {LEARNED_FROM >> 20} MiB of training text at most, from all over the files")
        return training_sample(jobs, cut, plan["held_out"], LEARNED_FROM, workers=workers)

    def all_text() -> Iterator[str]:
        say(f"{spec} takes its alphabet from all of the text")
        for job in jobs:
            for part in job:
                yield from cut.cut(read_lines(part))

    try:
        built = tokenizers.build(spec, none)
    except _Learns:
        built = None
    if (folder / PLAN).is_file():
        kept = tokenizers.load(path)
        if built is not None and built.fingerprint != kept.fingerprint:
            raise _other(folder, f"the tokenizer {spec} has changed")
        return kept
    built = built or tokenizers.build(spec, CorpusTexts(text, all_text))
    if built.number_id is not None:
        raise ValueError(
            f"--tokenizer {spec} writes a number as one token with features, which a file of tokens does not "
            "hold; use a digits tokenizer"
        )
    # A library's dictionaries have another order each time; what is written is the same.
    write_atomically(path, json.dumps(tokenizers.to_json(built), sort_keys=True, indent=1) + "\n")
    write_atomically(folder / PLAN, json.dumps(plan, indent=1) + "\n")
    return built


def _check_plan(folder: Path, plan: dict[str, Any]) -> None:
    """Raises ValueError if the directory was begun otherwise, or holds something else."""
    path = folder / PLAN
    if not path.is_file():
        # A process that was killed early has left the tokenizer, or a part of it.
        names = (
            p.name for p in sorted(folder.iterdir()) if not p.match(".*.tmp") and p.name not in locks.FILES
        )
        other = next((name for name in names if name != TOKENIZER), None)
        if other is not None:
            raise ValueError(f"--output {folder} holds {other}; name a new or an empty directory")
        return
    try:
        begun = foreign.read_json(path)
        before = {name: rest for name, *rest in begun["texts"]}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            one_line(f"{path} cannot be read ({error}); remove {folder} to begin anew")
        ) from error
    options = {
        "tokenizer": "--tokenizer",
        "documents": "--documents",
        "held_out": "--held-out",
        "piece_bytes": "--piece-mib",
    }
    for name, option in options.items():
        if begun.get(name) != plan[name]:
            raise _other(folder, f"{option} was {one_line(str(begun.get(name)), 60)}, not {plan[name]}")
    now = {name: rest for name, *rest in plan["texts"]}
    for name in before.keys() | now.keys():
        if name not in now or name not in before:
            raise _other(folder, f"{name} was {'not ' if name in now else ''}one of its texts")
        if before[name] != now[name]:
            raise _other(folder, f"{name} has changed since")
    if begun != plan:
        raise _other(folder, "its texts had another order, or its format is another")


def _other(folder: Path, what: str) -> ValueError:
    return ValueError(
        f"{folder} was begun otherwise: {what}; give the command as it was, remove the directory to begin "
        "anew, or name another --output"
    )
