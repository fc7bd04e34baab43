"""What a number encoding is: how a number that is one token enters a model and comes out of it."""

import abc
import dataclasses
from typing import Annotated, ClassVar, Literal

from jaxtyping import Array, Float, Num

from jaxgpt.core.choice import Choice
from jaxgpt.nn.position import Params, Table


@dataclasses.dataclass(frozen=True)
class NumberEncoding(Choice, abc.ABC, package="jaxgpt.nn.number"):
    """The input and output of number tokens, beside the embedding and the head that all tokens share.

    A tokenizer writes every number as one id and beside it `size` features that say which number it is.
    What `embed` makes of them is added to the id's embedding. Whether a number comes next is a matter of
    the logits; which one, of `predict` and `choose`. Every hook works on any leading dimensions.
    """

    token_id: Annotated[int, "id of the number token; filled in from the tokenizer"] = -1

    #: What features are stored as.
    dtype: ClassVar[Literal["uint8", "float32"]] = "uint8"
    #: Whether `loss` is -log p of the number, so that a text with numbers in it has a probability.
    likelihood: ClassVar[bool] = True

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Features a number."""

    def check(self, *, d_model: int) -> None:
        """Raises ValueError if a model of this width cannot hold the encoding."""

    @abc.abstractmethod
    def tables(self, *, d_model: int) -> dict[str, Table]:
        """The learned arrays."""

    @abc.abstractmethod
    def embed(self, params: Params, features: Num[Array, "*B F"]) -> Float[Array, "*B D"]:
        """What is added to the embedding of the number token."""

    @abc.abstractmethod
    def predict(self, params: Params, hidden: Float[Array, "*B D"]) -> Float[Array, "*B P"]:
        """What a model says of the next number, should one come next; float32 or wider."""

    @abc.abstractmethod
    def loss(self, outputs: Float[Array, "*B P"], features: Num[Array, "*B F"]) -> Float[Array, "*B"]:
        """How far `outputs` is off the number with these features."""

    @abc.abstractmethod
    def choose(self, outputs: Float[Array, "*B P"]) -> Num[Array, "*B F"]:
        """The features of the number that `outputs` is nearest to."""
