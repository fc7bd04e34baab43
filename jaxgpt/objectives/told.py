"""What objectives share that read a text and tell something of it by a head of its own."""

import abc
import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxgpt.data.labelled import reading, second_segments
from jaxgpt.data.positions import largest_in
from jaxgpt.data.rows import Rows, batch_of, check_length, check_some, pad
from jaxgpt.data.splits import Tables, naming
from jaxgpt.generation.prompts import check_positions
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.structure import split
from jaxgpt.models.token_features import Features, global_tokens_of
from jaxgpt.models.transformer import Output, Transformer
from jaxgpt.objectives.base import Batch, Objective
from jaxgpt.objectives.losses import Loss, token_losses
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Told(Objective, abc.ABC):
    """The model reads `bos prompt eos` and its second head says something of it.

    A tab in a prompt separates two texts: `bos one eos other eos`, of which the other is the second segment.
    """

    takes_sampling: ClassVar[bool] = False

    @abc.abstractmethod
    def right(self, example: Example, model: ModelConfig) -> list[int]:
        """The target of an example as numbers, for what the second head tells of its prompt.

        Raises:
          UnfitExample: if no answer that the model can give is the target.
        """

    @abc.abstractmethod
    def rows(self, examples: Sequence[Example], tokenizer: Tokenizer, model: ModelConfig) -> Rows:
        """The table of some examples, with `labels` [N, K] or [N, T]; -1 where there is none.

        Raises:
          UnfitExample: for a target that does not fit its prompt, or an example that is too long.
        """

    @abc.abstractmethod
    def label_losses(self, found: Array, batch: Batch, real: Bool[Array, "B T"], loss: Loss) -> Array:
        """The loss of each label of a batch, from the second head's logits. [B, K]"""

    @abc.abstractmethod
    def answer(
        self, model: ModelConfig, tokenizer: Tokenizer, prompt: str, rows: list[list[int]], logits: np.ndarray
    ) -> str:
        """What the second head says of a prompt, as text.

        Args:
          rows: that were read of the prompt.
          logits: of each row. [rows, ...]
        """

    def check(self, model, task):
        if task.layout == "stream":
            kind = type(self).kind()
            raise ValueError(f"objective={kind} is for questions, and the task is a text")
        if model.kind == "decoder" and model.labels_from == "first":
            raise ValueError("a decoder's first token has seen nothing; set model.labels_from=last")

    def check_questions(self, examples, model):
        for example in examples:
            self.right(example, model)

    def tables(self, splits):
        def rows(examples):
            check_some(examples)
            return self.rows(examples, splits.tokenizer, splits.model)

        with naming("train"):
            train = rows(splits.train)
        with naming("validation"):
            return Tables(train, rows(splits.validation).arrays())

    def logits_made(self, tokens):
        return 0

    def labels_told(self, rows, tokens, model):
        return rows * (tokens if model.labels_from == "each" else 1)

    def weights(self, batch):
        """1 for every label. [B, K]"""
        return (batch["labels"] >= 0).astype(jnp.float32)

    def read(self, model: Transformer, batch: Batch, key: jax.Array | None) -> tuple[Output, Array]:
        """The output of a model that has read the rows of a batch, and which tokens are none of padding.

        Where an example has several rows, R is their number in all, else B.
        """
        tokens, segments = (batch[name].reshape(-1, batch[name].shape[-1]) for name in ("tokens", "segments"))
        place = jnp.arange(tokens.shape[1])[None]
        real = place < batch["length"].reshape(-1)[:, None]
        return read_labels(model, tokens, jnp.where(real, place, -1), segments, key), real

    def logits(self, model: Transformer, output: Output, real: Bool[Array, "R T"]) -> Array:
        """What is told of each row that was read; rows of one example stand one behind the other. [R, ...]"""
        return output.labels

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """The loss of each label. [B, K]"""
        output, real = self.read(model, batch, key)
        return self.label_losses(self.logits(model, output, real), batch, real, loss)

    def readings(self, prompt: str, tokenizer: Tokenizer, model: ModelConfig) -> list[list[int]]:
        """The rows that are read of a prompt: one, unless it holds choices."""
        return [reading(tokenizer, [prompt])[0]]

    def reads(self, example, tokenizer, model):
        rows = self.readings(example.prompt, tokenizer, model)
        return [(stack, row) for stack in _stacks(model) for row in rows]

    def predict(self, model, tokenizer, prompts, asking):
        config = model.config
        structure, weights = split(model)
        readings = [self.readings(prompt, tokenizer, config) for prompt in prompts]
        rows = [row for reading in readings for row in reading]
        ends = np.cumsum([len(reading) for reading in readings])
        if (longest := max(map(len, rows), default=0)) > config.max_length:
            raise ValueError(f"{longest} tokens exceed model.max_length={config.max_length}; shorten it")
        for stack in _stacks(config):
            check_positions(config, [largest_in(model, stack, rows, tokenizer)])
        logits: list[np.ndarray] = []
        size = asking.batch_size + asking.batch_size % 2  # two rows of one prompt are read together
        for first in range(0, len(rows), size):
            part = rows[first : first + size]
            tokens, order = batch_of(part, (size, longest), tokenizer.pad_id)
            segments = np.zeros(tokens.shape, np.int32)
            segments[: len(part)] = second_segments(part, longest, tokenizer)
            told = _labels(self, structure, weights, tokens, order, segments)
            logits += list(np.asarray(told))[: len(part)]
            if asking.progress is not None:
                asking.progress(int((ends <= len(logits)).sum()), len(prompts))
        found = []
        for prompt, read, end in zip(prompts, readings, ends, strict=True):
            own = np.stack(logits[end - len(read) : end])
            found.append([self.answer(config, tokenizer, prompt, read, own)])
        return found


def _stacks(model: ModelConfig) -> list[Literal["encoder", "decoder"]]:
    """Those that read a text."""
    return ["encoder", "decoder"] if model.kind == "encoder_decoder" else [model.kind]


def read_labels(model: Transformer, tokens, order, segments, key: jax.Array | None = None) -> Output:
    """A text as a model with labels reads it; an encoder-decoder reads it in both of its stacks.

    Of a Longformer the first token sees all, where the label is read from it.
    """
    both = model.config.kind == "encoder_decoder"
    return model(
        tokens,
        order=order,
        source=tokens if both else None,
        source_order=order if both else None,
        features=Features(
            segments=segments if model.config.segments else None,
            global_tokens=global_tokens_of(model.config, tokens.shape[0]),
        ),
        key=key,
        logits_of="none",
    )


@partial(jax.jit, static_argnums=(0, 1))
def _labels(objective: Told, structure, weights, tokens, order, segments) -> Float[Array, "B ..."]:
    model, order = structure.model(weights), jnp.asarray(order)
    output = read_labels(model, jnp.asarray(tokens), order, segments)
    return objective.logits(model, output, order >= 0)


def rows_of_readings(
    objective: Told, examples: Sequence[Example], tokenizer: Tokenizer, model: ModelConfig
) -> Rows:
    """Rows of [N, C, L], one a reading; where an example has fewer than C, its first stands in."""
    rows, labels = [], []
    for example in examples:
        labels.append(objective.right(example, model))
        rows.append(objective.readings(example.prompt, tokenizer, model))
        check_length(rows[-1], model.max_length, [example] * len(rows[-1]))
    counts = [len(own) for own in rows]
    most = max(counts)
    flat = [row for own in rows for row in [*own, *own[:1] * (most - len(own))]]
    table, length = pad(flat, tokenizer)
    shape = (len(rows), most, table.shape[1])
    return Rows(
        table.reshape(shape),
        np.ones(len(rows), np.int32),
        length.reshape(shape[:2]),
        labels=np.asarray(labels, np.int32),
        segments=second_segments(flat, shape[2], tokenizer).reshape(shape),
        choices=np.asarray(counts, np.int32),
    )


def longest_pair(model: ModelConfig) -> tuple[str, tuple[str, ...]]:
    """The `longest_example` of an objective with two texts and a label."""
    half = (model.max_length - 3) // 2
    return "a" * (model.max_length - 3 - half) + "\t" + "a" * half, ("0", "1")


def check_label_count(model: ModelConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of labels, if there are as many as the model was told.

    Raises:
      ValueError: if `model.labels` is another number.
    """
    if model.labels not in (0, len(names)):
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise ValueError(
            f"model.labels={model.labels}, but the training targets are {len(names)}: {shown}; leave it at 0"
        )
    return names
