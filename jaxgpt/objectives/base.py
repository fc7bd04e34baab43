"""What an objective is: a frozen description of what a model learns from examples, and how it answers."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import jax
from jaxtyping import Array, Float

from jaxgpt.core.choice import Choice
from jaxgpt.data.splits import Splits, Tables
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.batches import Batch
from jaxgpt.objectives.losses import Loss, token_losses
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.tokenizers.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class Objective(Choice, package="jaxgpt.objectives"):
    """What is learned: the rows that are read, their loss, and the answers of a model that has learned it.

    A member defines `tables`, `weights`, `losses`, `reads` and `predict`. One that only weighs mistakes in
    another way is a subclass of the member that it changes, with a `token_loss` of its own.
    """

    #: Whether each token is predicted from those before it. Then the last one of a row is not read, examples
    #: can share rows, a text has a likelihood, and tokenizations can be compared.
    next_token: ClassVar[bool] = False
    #: Whether a model of it answers questions.
    asks: ClassVar[bool] = True
    #: Whether it finds out by itself how long an answer is.
    ends_answers: ClassVar[bool] = True
    #: Whether answers are drawn, and end, as `Asking.sampling` and `Asking.stop` say.
    takes_sampling: ClassVar[bool] = True
    #: Whether a mask of its own says which tokens each may see. Then `model.window` is a part of that mask,
    #: and layers compute all pairs of tokens.
    own_mask: ClassVar[bool] = False

    @property
    def marks(self) -> int:
        """Ids that it needs behind the tokenizer's."""
        return 0

    def check(self, model: ModelConfig, task: Task) -> None:
        """Raises ValueError if a model cannot learn it, or not from this task; data is not read."""

    def label_names(self, examples: Sequence[Example], model: ModelConfig) -> tuple[str, ...]:
        """What the labels of some training examples are called, in the order of their numbers.

        Raises:
          ValueError: if `model.labels` is another number of them.
        """
        return ()

    def check_questions(self, examples: Iterable[Example], model: ModelConfig) -> None:
        """Look at held-out questions before training.

        Raises:
          UnfitExample: of `jaxgpt.data.rows`, for one whose answer the model can never give.
        """
        return None

    def tables(self, splits: Splits) -> Tables:
        """The training rows and the validation rows.

        Raises:
          ValueError: for examples that the model cannot learn from.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no tables")

    def draw(self, batch: Batch, model: ModelConfig, key: jax.Array | None) -> Batch:
        """The batch with what is drawn anew each time, such as which tokens are hidden."""
        return batch

    def tokens_read(self, tokens: int) -> int:
        """How many tokens a model reads of a row of so many, as `draw` makes it."""
        return tokens

    def logits_made(self, tokens: int) -> int:
        """How many tokens get logits of the vocabulary in a step on such a row, with or without loss."""
        return self.tokens_read(tokens)

    def labels_told(self, rows: int, tokens: int, model: ModelConfig) -> int:
        """How many hidden states the labels' head reads in a step on an example of rows of so many tokens."""
        return 0

    def weights(self, batch: Batch) -> Float[Array, "B K"]:
        """How much each loss of `losses` counts: 0 for padding."""
        raise NotImplementedError(f"{type(self).__name__} defines no weights")

    def losses(
        self,
        model: Transformer,
        batch: Batch,
        key: jax.Array | None = None,
        *,
        loss: Loss = token_losses,
        most_logits: int | None = None,
    ) -> Float[Array, "B K"]:
        """The loss of each prediction in the rows of a batch.

        Args:
          key: for dropout; None: none.
          loss: of logits and targets; -log p in nats where models are judged, `training_loss` where they are
            trained.
          most_logits: logits held at once, see `hidden_losses`.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no losses")

    def token_loss(self, logits: Float[Array, "*B V"], targets: Array) -> Float[Array, "*B"]:
        """What training makes small for each target. Validation losses and likelihoods stay -log p."""
        return token_losses(logits, targets)

    def training_loss(self, vocabulary: Vocabulary) -> Loss:
        """`token_loss`, with what a member adds to it for some tokens of a vocabulary.

        Raises:
          ValueError: if the vocabulary has no such tokens.
        """
        return self.token_loss

    def scored_from(self, start: int) -> int:
        """The first token of a row that carries loss, where `start` is the first of its answer."""
        return start

    @property
    def loss_note(self) -> str:
        """What a report adds to "the tokens from `scored_from` on carry loss"; "" where this is all."""
        return ""

    def longest_example(self, model: ModelConfig) -> tuple[str, tuple[str, ...]]:
        """A prompt, and targets of one example each, that fill what a model reads if a character is a token.

        Raises:
          ValueError: if it reads more out of a text than its length.
        """
        raise ValueError(f"objective={type(self).kind()} needs its data to plan with; set the fields of task")

    def reads(
        self, example: Example, tokenizer: Tokenizer, model: ModelConfig
    ) -> list[tuple[Literal["encoder", "decoder"], list[int]]]:
        """The token ids that each stack reads of a question with its right answer.

        Raises:
          ValueError: if the tokenizer cannot write one of them, or the question cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no reads")

    def predict(
        self, model: Transformer, tokenizer: Tokenizer, prompts: Sequence[str], asking: Asking
    ) -> list[list[str]]:
        """The answers to each prompt.

        Raises:
          ValueError: if the model has no room for a prompt.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no predict")
