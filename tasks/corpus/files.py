"""Which files a task reads: what they held when its run began, recorded with it."""

import dataclasses
import functools
import hashlib
from typing import Annotated, ClassVar, Self

from jaxgpt.paths import expanded
from tasks.corpus.reading import file_stamp


@dataclasses.dataclass(frozen=True)
class OfFiles:
    """Stands before `Task` among the bases of a task that reads files.

    A run records a fingerprint of the files and refuses others when it goes on, since another text also has
    another border between training and held-out text. The files themselves may move.

    A task reads a file under the stamp that `stamp` gives. `file_fields` are its fields that name files, in
    an order that stays.
    """

    fingerprint: Annotated[str, "of the file; filled in when a run begins, empty: of any"] = (
        dataclasses.field(default="", kw_only=True)
    )

    file_fields: ClassVar[tuple[str, ...]] = ("path",)

    @property
    def movable_fields(self) -> tuple[str, ...]:
        return self.file_fields

    def pinned(self) -> Self:
        """As a run records it: with the fingerprint of the files, or the one that is set, once checked."""
        if self.fingerprint:
            self._check()
            return self
        return dataclasses.replace(self, fingerprint=",".join(self._marks()).rstrip(","))

    def stamp(self, field: str = "path") -> tuple[int, int]:
        """`file_stamp` of a field's file.

        Raises:
          ValueError: if a file is not as the fingerprint says.
        """
        if self.fingerprint:
            self._check()
        return file_stamp(getattr(self, field))

    def _marks(self) -> list[str]:
        """Bytes and digest of each file; empty where none is named, or it is none: reading it says so."""
        paths = [getattr(self, field) for field in self.file_fields]
        return [_mark(path, file_stamp(path)) for path in paths]

    def _check(self) -> None:
        recorded = self.fingerprint.split(",")
        recorded += [""] * (len(self.file_fields) - len(recorded))
        for field, old, new in zip(self.file_fields, recorded, self._marks(), strict=False):
            path, option = getattr(self, field), f"--task.{field.replace('_', '-')}"
            if old == new or (path and not new):  # a file that is missing is told by who reads it
                continue
            then, now = old.split("-")[0], new.split("-")[0]
            if not old or not new:
                what = f"{path or option}: a file is {'named' if new else 'left out'}, unlike at first"
            elif then != now:
                what = f"{path} has {now} bytes, and had {then} when the run began"
            else:
                what = f"{path} holds other text than when the run began, in as many bytes ({now})"
            raise ValueError(
                f"{what}; restore it or name a copy with {option}, or begin anew in another --workdir; an "
                "evaluation on it as it is now needs --task.fingerprint="
            )


@functools.lru_cache(maxsize=16)
def _mark(path: str, stamp: tuple[int, int]) -> str:
    """The bytes of a file and a digest of them; `stamp` tells a changed file from the one that was read."""
    if not stamp[1]:
        return ""
    try:
        with open(expanded(path), "rb") as file:
            return f"{stamp[1]}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    except OSError:
        return ""
