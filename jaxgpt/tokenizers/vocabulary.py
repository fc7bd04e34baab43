"""All that a model may know of a tokenizer."""

import dataclasses
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What the ids of a model stand for.

    Attributes:
      texts: the text of each id, `texts[i]` of id i; of a special token it is empty.
      number_encoding: of a tokenizer that writes a number as one token: `Tokenizer.number_encoding`.
      mask_id: the id that hides a token, where the tokenizer has one.
    """

    texts: Sequence[str]
    number_encoding: dict[str, Any] | None = None
    mask_id: int | None = None
