"""Floating-point operations of training, counted from a model's shape.

Chowdhery et al. 2022 (arXiv 2204.02311), appendix B: a token costs 6 N in the weights, for 2 N in the
forward and 4 N in the backward pass, and 12 L H Q T in the attention over T tokens, with L layers of H heads
of width Q. N leaves out embeddings; the output matrix, which the paper counts among the weights, is 6 D V
here, since V is what tokenizers differ in. Where token vectors have a width of their own, that is D; where a
reversible model has two streams, D is both; of an adaptive softmax all its tables and maps count.

Rows count with their padding, and every query with every key that it is multiplied with, also where the mask
hides it. Of full attention these are all of the row. With model.window, model.sparse or model.memory they are
what the layers compute where attention is written out: blocks or chunks filled up to whole ones, what is
remembered, and all pairs where a row is so short, or an objective hides so much, that the window is a mask.
Weights of a Longformer's second maps count as often as they are used.

Tokens count with the logits of the vocabulary that are computed, whether or not they carry loss: all of a
row, unless labels alone are told of it. The labels' head and its pooler count for each hidden state that they
read.

Left out are norms, softmax and activations, the optimizer, what a position scheme adds, the map of
head.transform, and the second forward pass of model.remat, which is no work of the model (appendix B).
"""

import math
import re
from collections.abc import Mapping

from jaxgpt.models.attention_pairs import global_pairs
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import first_sees_all

Shapes = Mapping[str, tuple[int, ...]]

#: `backwards` and `starts` are of a recurrent encoder that reads from both sides.
_BODY = re.compile(r"(encoder|decoder)\.(blocks|backwards|starts|norm)\b")
#: Weights of a decoder that read the encoder's tokens: of cross-attention, and of a recurrent decoder's.
_READS_SOURCE = re.compile(r"\.cross\.(key|value)\.|^decoder\.blocks\.\d+\.key\.")
#: Weights that read an example once, to begin the decoder with.
_READS_ONCE = re.compile(r"^encoder\.starts\.")
#: What labels are read with.
_LABELS = re.compile(r"^(pooler|labels)\.")
#: Second maps, which are for tokens that see all; of these, what such a token alone is multiplied with; and
#: that of the first maps which it is multiplied with once more.
_SECOND = re.compile(r"\.attention\.second\.")
_SECOND_QUERY, _OUT = re.compile(r"\.attention\.second\.query\."), re.compile(r"\.attention\.out\.")


def body_params(shapes: Shapes, stack: str = "") -> int:
    """Weights without embeddings: those of layers and norms, of one stack or of all.

    Token embeddings, output matrix, the position tables outside of blocks and whatever else reads or writes
    tokens are left out.
    """
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if (match := _BODY.match(name)) and stack in ("", match[1])
    )


def training_flops(
    config: ModelConfig,
    shapes: Shapes,
    *,
    tokens: int,
    source: int = 0,
    logits: int | None = None,
    labels: int = 0,
    rows: int = 1,
) -> int:
    """Of one example, forwards and backwards.

    Args:
      config: with its vocabulary.
      shapes: of the weights by name.
      tokens: that the decoder reads of a row, padding included; those of an encoder that stands alone.
      source: that the encoder of an encoder-decoder reads of it.
      logits: tokens of a row that get logits of the vocabulary; None: all that the decoder reads.
      labels: hidden states of all rows that the labels' head reads; 0: labels are not learned.
      rows: that are read of the example.
    """
    reader = "encoder" if config.kind == "encoder" else "decoder"
    weights = body_params(shapes, reader) * tokens * config.loops
    if config.kind == "encoder_decoder":
        # The encoder's output is made keys and values once, however often the decoder loops.
        cross, once = (_of(shapes, pattern) for pattern in (_READS_SOURCE, _READS_ONCE))
        weights += cross * (source - tokens * config.loops)
        weights += (body_params(shapes, "encoder") - once) * source * config.loops + once
    attention = config.mixer.flops(config, tokens=tokens, source=source)
    if labels and first_sees_all(config):
        query = _of(shapes, _SECOND_QUERY)
        weights += (query + _of(shapes, _OUT) - query * tokens) * config.loops
        depth, causal = config.num_layers * config.loops, config.kind != "encoder"
        width = config.num_heads * config.resolved_head_dim
        attention += 12 * width * global_pairs(config, depth, tokens, causal=causal)
    else:
        weights -= _of(shapes, _SECOND) * tokens * config.loops
    head = _head_weights(config, shapes) * (tokens if logits is None else logits)
    return rows * (6 * weights + attention + 6 * head) + 6 * _of(shapes, _LABELS) * labels


def formula(
    config: ModelConfig,
    shapes: Shapes,
    *,
    tokens: int,
    source: int = 0,
    logits: int | None = None,
    labels: int = 0,
) -> str:
    """What `training_flops` of the same arguments adds up, in words; what a model lacks is left out."""
    both, head = config.kind == "encoder_decoder", _head_weights(config, shapes)
    often = "loops x tokens" if config.loops > 1 else "tokens"
    uneven = both or _of(shapes, _SECOND) > 0
    weights = f"6 x weights x {'times that each reads a token' if uneven else often}, embeddings left out"
    beside = []
    if head and logits != 0:
        matrix = "width x vocabulary" if head == config.d_model * config.vocab_size else "output weights"
        told = "tokens" if logits in (None, tokens) else "tokens with logits"
        beside.append(f"6 x {matrix} x {'tokens of the decoder' if both else told} for logits")
    if labels:
        beside.append("6 x weights of the labels' head x states that it reads")
    if config.mixer.flops(config, tokens=tokens, source=source):
        beside.append(config.mixer.formula(config))
    return ", + ".join([weights, " + ".join(beside)] if beside else [weights])


def _of(shapes: Shapes, pattern: re.Pattern) -> int:
    """Weights whose names fit a pattern."""
    return sum(math.prod(shape) for name, shape in shapes.items() if pattern.search(name))


def _head_weights(config: ModelConfig, shapes: Shapes) -> int:
    """Weights that a token's logits are made with."""
    if config.head.weights == "none":
        return 0
    if config.embedding.kind == "adaptive":
        return sum(math.prod(shape) for name, shape in shapes.items() if name.startswith("embedding."))
    if "head" in shapes:
        return math.prod(shapes["head"])
    return config.resolved_embedding_width * config.vocab_size
