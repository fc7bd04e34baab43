"""What a subject of the fuzzer is: a sound fixture, and the readers that a spoiled copy of it is given to."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz_mutators import OUTSIDE, mutate
from fuzz_watch import Ending, listing, scratch, unblocked, watched


@dataclasses.dataclass(frozen=True)
class Subject:
    """One kind of directory.

    Attributes:
      fixtures: sound directories; a case begins with a copy of one.
      read: gives a directory to its readers, all or one of them.
      spoil: changes a copy and says how.
    """

    fixtures: tuple[Path, ...]
    read: Callable[[Path, Random], None]
    spoil: Callable[[Path, Random], str] = mutate

    def case(self, seed: int) -> tuple[str, Ending]:
        """What was done to the directory of a case, and how it ended."""
        rng = Random(seed)
        with scratch() as folder:
            home = Path(folder)
            (home / OUTSIDE).parent.mkdir()
            (home / OUTSIDE).write_text('{"kind": "secret"}')
            fixture = rng.choice(self.fixtures)
            path = home / "case" / fixture.name
            shutil.copytree(fixture, path)
            done = "; ".join(self.spoil(path, rng) for _ in range(rng.choice((1, 1, 2))))
            before = listing(home)
            with unblocked(path):
                ending = watched(lambda: self.read(path, rng), path.parent, begins=str(path))
            written = {name for name, what in listing(home).items() if before.get(name) != what}
            outside = sorted(name for name in written if not name.startswith(str(path)))
            faults = ending.faults + tuple(f"wrote {name}" for name in outside)
        return done, dataclasses.replace(ending, faults=faults)
