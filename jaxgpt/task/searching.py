"""Loops that draw until they find: they say so when it takes long, and end when nothing comes."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from jaxgpt.core.printing import complain

#: Seconds after which a search says that it searches, and after which without a find it ends.
SAID_AFTER = 3.0
ENDS_AFTER = 20.0


T = TypeVar("T")


class Search:
    """The clock of one such loop, which calls `missed` for what it draws in vain and `found` for the rest.

    The time between a find and the next miss is that of whoever uses the find, and does not count. What is
    found does not depend on the clock; only whether an error ends the search does.

    Args:
      what: is looked for, such as `test examples`.
      way_out: what a person can change so that there is more to find.
    """

    def __init__(self, what: str, way_out: str):
        self._what, self._way_out = what, way_out
        self._count, self._spent, self._said = 0, 0.0, False
        self._since: float | None = None

    def those(self, drawn: Iterable[T], fits: Callable[[T], bool]) -> Iterator[T]:
        """What fits of all that is drawn."""
        for one in drawn:
            if fits(one):
                self.found()
                yield one
            else:
                self.missed()

    def found(self) -> None:
        """What was drawn is what is looked for."""
        self._count += 1
        if self._since is not None:
            self._spent += time.monotonic() - self._since
            self._since = None

    def missed(self) -> None:
        """What was drawn is something else.

        Raises:
          ValueError: if for `ENDS_AFTER` seconds nothing was found.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        vain = now - self._since
        if not self._said and self._spent + vain > SAID_AFTER:
            self._said = True
            complain(f"searching for {self._what}: {self._count:,} found so far\n")
        if vain > ENDS_AFTER:
            more = "no more" if self._count else "none"
            raise ValueError(
                f"{more} of {self._what} found in {vain:.0f} s of searching, after {self._count:,}; "
                f"{self._way_out}"
            )
