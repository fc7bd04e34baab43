"""A model whose logits are linear in its embeddings, and small models of text."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.core import fields
from jaxgpt.core.nested import made
from jaxgpt.models import ModelConfig, Transformer
from jaxgpt.nn.position import Position
from jaxgpt.runs import experiments
from jaxgpt.tokenizers import build

TOKENIZER = build("characters", lambda: ["abcdefgh "])


class Linear(NamedTuple):
    """One layer whose two heads look at everything alike, without norms and with an MLP that adds nothing.

    With x the embeddings of T tokens and m their mean, the last token's logits are
    (x[-1] + sum over heads of m @ value @ out) @ head.

    Attributes:
      table: [V, D]
      value: [D, H, K]
      out: [H, K, D]
      head: [D, V]
    """

    model: Transformer
    table: np.ndarray
    value: np.ndarray
    out: np.ndarray
    head: np.ndarray

    def by_embedding(self, count: int, target: int) -> np.ndarray:
        """The derivative of the last logit by each of so many embeddings. [T, D]"""
        through = np.einsum("dhk,hke,e->d", self.value, self.out, self.head[:, target]) / count
        return np.stack([*[through] * (count - 1), through + self.head[:, target]])


def linear(seed: int = 0) -> Linear:
    config = made(
        ModelConfig,
        vocab_size=TOKENIZER.vocab_size,
        max_length=12,
        num_layers=1,
        d_model=6,
        num_heads=2,
        norm="none",
        position=Position.named("none")(),
        **{"head.weights": "separate"},
    )
    model = Transformer(config, rngs=nnx.Rngs(seed))
    rng = np.random.default_rng(seed)
    attention, mlp = model.decoder.blocks[0].attention, model.decoder.blocks[0].mlp
    for part in (attention.query, mlp.down):
        part.kernel[...] = jnp.zeros_like(part.kernel[...])
    drawn = (attention.value.kernel, attention.out.kernel, model.embedding.table, model.head)
    for part in drawn:
        part[...] = jnp.asarray(rng.normal(size=part.shape), jnp.float32)
    value, out, table, head = (np.asarray(part[...], np.float64) for part in drawn)
    return Linear(model, table, value, out, head)


def made_up(words: str, count: int, seed: int = 0) -> str:
    """Lines of words drawn at random."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(words.split(), (count, 6))
    return "".join(" ".join(line) + "\n" for line in drawn)


def text_experiment(path, **overrides):
    """A model of 4,000 weights on a file of text, which keeps checkpoints of three steps."""
    values = {
        "task.path": str(path),
        "model.max-length": "16",
        "model.num-layers": "1",
        "model.d-model": "16",
        "model.num-heads": "2",
        "optimizer.warmup-steps": "1",
        "training.steps": "12",
        "training.batch-size": "4",
        "training.keep-spaced": "3",
        "training.eval-every": "0",
        "training.sample-every": "0",
        "training.test-examples": "0",
        "training.chunk": "4",
    }
    return fields.override(experiments.find("text"), values | overrides)
