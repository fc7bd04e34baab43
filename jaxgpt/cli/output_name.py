"""Names of the files that an evaluation writes into a run directory, so that none takes another's place."""

import argparse
import hashlib
import re
from collections.abc import Sequence

#: Characters of the longest name, without its ending.
MOST = 100
#: Digits of a hash.
_DIGITS = 8


def differing(given: argparse.Namespace, changed: Sequence[str], counts: Sequence[str]) -> list[str]:
    """The differences between an evaluation and the run's own, a text each, such as `split-train`.

    Args:
      changed: rows of `jaxgpt.core.fields.differences` from the run's experiment to the one that is asked.
      counts: the numbers of questions that differ, such as `n-5`.
    """
    chosen = {
        "split": (given.split, "test"),
        "checkpoint": (given.checkpoint, "last"),
        "attention-factor": (given.attention_factor, "1"),
    }
    found = [f"{name}-{value}" for name, (value, own) in chosen.items() if value != own]
    found += [*counts, *["other-files"] * given.other_files]
    for row in changed:
        path, _, values = row.partition(": ")
        found.append(f"{path.removeprefix('task.')}-{values.partition(' -> ')[2]}")
    return found


def file_name(parts: Sequence[str], *, left_out: str = "") -> str:
    """The name, without its ending, of the file for an evaluation that these parts describe.

    Letters, digits, `_`, `.` and `-` stay. A name that lacks anything of the parts, since it would hold other
    characters or more than `MOST`, ends in a hash of them all.

    Args:
      left_out: what tells evaluations apart and stands in no part, such as the folder of a file.
    """
    text = "_".join(parts)
    name = re.sub(r"[^\w.-]", "_", text)
    if name == text and len(name) <= MOST and not left_out:
        return name
    whole = "\0".join([*parts, left_out]).encode(errors="surrogatepass")
    return f"{name[: MOST - 1 - _DIGITS]}-{hashlib.sha256(whole).hexdigest()[:_DIGITS]}"
