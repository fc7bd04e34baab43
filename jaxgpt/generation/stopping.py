"""Texts that end a generated row."""

import bisect
import dataclasses
from collections.abc import Callable, Sequence


def first(text: str, stop_strings: Sequence[str]) -> int | None:
    """Where the earliest stop string begins, if there is one."""
    found = [at for at in (text.find(s) for s in stop_strings) if at >= 0]
    return min(found, default=None)


def held_back(text: str, stop_strings: Sequence[str]) -> int:
    """How many characters at the end of `text` may be the beginning of a stop string."""
    longest = 0
    for string in stop_strings:
        for size in range(min(len(string) - 1, len(text)), longest, -1):
            if text.endswith(string[:size]):
                longest = size
                break
    return longest


@dataclasses.dataclass(frozen=True)
class StopTexts:
    """Texts that end a row, and how they are found: `StopTexts(["\\n"], tokenizer.decode)`."""

    texts: Sequence[str]
    decode: Callable[[Sequence[int]], str]


class Watch:
    """Ends the rows of a `Decoding` with the token that completes a stop string.

    The outcome does not depend on how often it looks, if more tokens only add to what `decode` gives: a
    tokenizer's `settled` does that, and so does its `decode` where no token changes what stands before it.

    Raises:
      ValueError: for an empty stop string, or without `decode`.
    """

    def __init__(self, stop_strings: Sequence[str], decode: Callable[[Sequence[int]], str] | None):
        if isinstance(stop_strings, str):
            raise ValueError(f"stop={stop_strings!r} must be a list of texts; use [{stop_strings!r}]")
        if "" in stop_strings:
            raise ValueError("a stop string is empty, which would end every row at once; leave it out")
        if stop_strings and decode is None:
            raise ValueError("stop needs decode, such as tokenizer.decode")
        self.stop_strings, self.decode = tuple(stop_strings), decode
        self._looked: dict[int, int] = {}

    def end_rows(self, run) -> None:
        """Looks at the new tokens of every row."""
        if not self.stop_strings:
            return
        for row, length in enumerate(run.length.tolist()):
            seen = self._looked.get(row, 0)
            if length == seen:
                continue
            ids = run.ids(row)

            def stopped(count, ids=ids):
                return first(self.decode(ids[:count]), self.stop_strings) is not None

            if stopped(length):
                counts = range(seen + 1, length + 1)
                length = counts[bisect.bisect_left(counts, True, key=stopped)]
                run.end(row, length)
            self._looked[row] = length
