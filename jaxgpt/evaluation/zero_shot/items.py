"""How the file of a test is read, and errors that name its lines."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from jaxgpt.core.wording import in_file
from jaxgpt.evaluation.zero_shot import detokenizers
from jaxgpt.evaluation.zero_shot.continuations import Continuation, cut
from jaxgpt.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
      detokenize: one of `detokenizers.NAMES`.
      stride: tokens that a window predicts; None: as many as the model reads.
      first: examples that are scored, from the beginning of the file; None: all.
    """

    detokenize: str = "none"
    stride: int | None = None
    first: int | None = None

    @property
    def detokenizer(self) -> Callable[[str], str]:
        return detokenizers.named(self.detokenize)

    def notes(self, tokenizer: Tokenizer, cuts: int = 0) -> tuple[str, ...]:
        """What must be known of how a tokenizer and a model read the file."""
        found = []
        if cuts:
            found.append(f"{cuts:,} were longer than the model reads, and lost their beginning")
        if tokenizer.lossy:
            found.append("the tokenizer changes what it reads (case, unknown words): the figures are of that")
        return tuple(found)


class Item(NamedTuple):
    """A part of a file.

    Attributes:
      where: it stands, such as `line 3`.
      continuations: one, or one a choice.
      was_cut: whether a model reads only its end.
    """

    where: str
    continuations: tuple[Continuation, ...]
    was_cut: bool


@contextlib.contextmanager
def naming(path: str, where: str) -> Iterator[None]:
    """Errors inside name the file and the line."""
    try:
        yield
    except ValueError as error:
        raise ValueError(in_file(path, f"{where}: {error}" if where else f": {error}")) from error


def item(where: str, continuations: Sequence[Continuation], max_length: int) -> Item:
    """What a model reads of a part of a file.

    Raises:
      ValueError: if there is no room for what is scored.
    """
    pairs = [cut(one, max_length) for one in continuations]
    return Item(where, tuple(one for one, _ in pairs), any(was_cut for _, was_cut in pairs))
