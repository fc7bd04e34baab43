"""Which tokens of a prompt speak for a token that might follow it: eight methods, five of them with a sign.

Let y be the logit, before the softmax, of the target behind the prompt, and A[t, d] an activation of a layer.

    gradcam               alpha[d] = mean over t of dy/dA[t, d]; sum over d of alpha[d] A[t, d]
                          (Selvaraju et al. 2017, arXiv 1610.02391, with tokens in place of pixels)
    elementwise           sum over d of A[t, d] dy/dA[t, d]
    saliency              length of dy/dx[t], x the embedding
                          (Simonyan et al. 2014, arXiv 1312.6034)
    input_x_gradient      sum over d of x[t, d] dy/dx[t, d]
    integrated_gradients  the same with the mean of the gradient between zeros and x; the sum over t is what y
                          gains on the way, but for `gap` (Sundararajan et al. 2017, arXiv 1703.01365)
    rollout               product over layers of (A + I) / 2, A the mean of a layer's heads
                          (Abnar and Zuidema 2020, arXiv 2005.00928)
    gradient_rollout      the same with the positive part of weight times gradient, rows made to sum to 1
                          (after Chefer et al. 2021, arXiv 2103.15679)
    occlusion             what y loses where x[t] is put to zero

An embedding has its position added, where the scheme adds one: a zero is no token at no place.
"""

import dataclasses
import functools
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.lab.captured import capture
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models import Transformer
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.pages.blocks import Block, TokenScores
from jaxgpt.pages.token_text import label as token_label

Method = Literal[
    "gradcam",
    "elementwise",
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "rollout",
    "gradient_rollout",
    "occlusion",
]
METHODS: tuple[Method, ...] = get_args(Method)
#: Those that are never below 0: they say how much a token counts, not for which side.
UNSIGNED = ("saliency", "rollout", "gradient_rollout")
#: Those that read the activation of a layer.
_OF_A_LAYER = ("gradcam", "elementwise")
#: Points between zeros and the embedding.
_POINTS = 64
#: Rows that are computed together.
_ROWS = 16
_EMBEDDING = "decoder.embedding"


@dataclasses.dataclass(frozen=True)
class Attribution(Part):
    """How much each token of a prompt speaks for the target.

    Attributes:
      tokens: the text of each token. [T]
      target: the text of the target.
      method: which of `METHODS`.
      layer: whose activation was read, -1 for the embedding; None for methods without one.
      signed: positive where a token speaks for the target, negative where it speaks against it; by methods
        of `UNSIGNED` how much it counts. [T]
      logit: of the target.
      gap: of integrated gradients, what their sum misses of the logit's gain; None for others.
    """

    tokens: tuple[str, ...]
    target: str
    method: Method
    layer: int | None
    signed: np.ndarray
    logit: float
    gap: float | None = None

    @property
    def scores(self) -> np.ndarray:
        """The positive part, which is what `gradcam` and `elementwise` are drawn as. [T]"""
        return np.maximum(self.signed, 0)

    def rows(self):
        return ("place", "token", "score", "positive part"), (
            (place, token, float(value), float(max(value, 0)))
            for place, (token, value) in enumerate(zip(self.tokens, self.signed, strict=True))
        )

    def summary(self) -> str:
        place, most = int(np.argmax(self.signed)), "counts" if self.method in UNSIGNED else "speaks"
        return (
            f"By {self.method}, what {most} most for {token_label(self.target)} is "
            f"{token_label(self.tokens[place])}, token {place} of {len(self.tokens)}."
        )

    def blocks(self) -> list[Block]:
        return [TokenScores(self.tokens, {self.method: self.signed}, self.summary())]

    def plot(self):
        count = len(self.tokens)
        figure, (axes,) = plots.new_figure(min(1.2 + 0.28 * count, 12), 2.6)
        colors = [plots.BLUE if value >= 0 else plots.ORANGE for value in self.signed]
        axes.bar(range(count), self.signed, color=colors)
        axes.axhline(0, color=plots.GREY, linewidth=0.8)
        axes.set_xticks(range(count), [drawn_label(token) for token in self.tokens], fontsize=8)
        layer = "" if self.layer is None else f", {'embedding' if self.layer < 0 else f'layer {self.layer}'}"
        axes.set_title(f"{self.method}{layer}: for {drawn_label(self.target)}", fontsize=10, loc="left")
        axes.set_ylabel("score")
        return figure


def attribute(
    source: Source | Subject,
    prompt: str,
    target: str,
    *,
    method: Method = "elementwise",
    layer: int | None = None,
) -> Attribution:
    """How much each token of a prompt speaks for one that might follow it, in the first model of a source.

        jaxgpt.lab.attribute(run, "The integral of x^2 is", "x", method="gradcam").plot()

    Args:
      target: the text of one token.
      layer: of `gradcam` and `elementwise`: what the attention of this layer reads, counted from 0, or -1
        for the embedding. None: the last layer's. What comes out of the last layer is refused: of it the last
        token alone has a gradient, so that the others would count for nothing whatever they do.

    Raises:
      ValueError: for a prompt or a target that the tokenizer or the model cannot read, an unknown method or
        layer, a model that is no decoder, or one without the weights that a rollout reads.
    """
    subject = Subject.of(source).decoder()
    tokens, wanted = subject.encode(prompt), subject.token(target)
    layer = checked_layer(subject.models[0], method, layer)
    signed, logit, gap = scores(subject.models[0], np.asarray(tokens), wanted, method, layer)
    return Attribution(tuple(subject.shown(tokens)), target, method, layer, signed, logit, gap)


def checked_layer(model: Transformer, method: str, layer: int | None) -> int | None:
    """The layer that a method reads; None for one that reads none.

    Raises:
      ValueError: for an unknown method, or a layer that it cannot read.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown; give one of {', '.join(METHODS)}")
    last = model.config.num_layers * model.config.loops - 1
    if method not in _OF_A_LAYER:
        if layer is not None:
            raise ValueError(f"layer={layer}: method={method} reads no single layer; leave it out")
        return None
    if layer is None:
        return last
    if layer == last + 1:
        raise ValueError(
            f"layer={layer} would be the output of the last layer, where the last token alone has a "
            f"gradient; give -1 to {last}"
        )
    if not -1 <= layer <= last:
        raise ValueError(f"layer={layer} is not there; give -1 (the embedding) to {last}")
    return layer


def scores(
    model: Transformer, tokens: np.ndarray, target: int, method: Method, layer: int | None
) -> tuple[np.ndarray, float, float | None]:
    """Signed scores [T], the target's logit, and the gap of integrated gradients.

    Args:
      tokens: [T]
      layer: from `checked_layer`.
    """
    structure, weights = split(model)
    read = jnp.asarray(tokens, jnp.int32)[None]
    if method in ("integrated_gradients", "occlusion"):
        return _by_many(structure, weights, read, target, method)
    rolled = "rollout" in method
    names = (
        _weight_names(model)
        if rolled
        else (_EMBEDDING if layer in (None, -1) else f"decoder.{layer}.attention.input",)
    )
    logit, values, gradients = _gradients(structure, weights, read, target, names)
    values, gradients = ([np.asarray(v[0], np.float64) for v in each] for each in (values, gradients))
    if rolled:
        return _rolled(values, gradients if method == "gradient_rollout" else None), float(logit), None
    (activation,), (gradient,) = values, gradients
    if method == "saliency":
        signed = np.linalg.norm(gradient, axis=-1)
    elif method == "gradcam":
        signed = activation @ gradient.mean(axis=0)
    else:
        signed = (activation * gradient).sum(axis=-1)
    return signed, float(logit), None


def _weight_names(model: Transformer) -> tuple[str, ...]:
    layers = range(model.config.num_layers * model.config.loops)
    return tuple(f"decoder.{layer}.attention.weights" for layer in layers)


@functools.partial(jax.jit, static_argnames=("structure", "names"))
def _gradients(structure: Structure, weights: Weights, tokens, target, names):
    """The logit of the target, the named activations, and its gradient by each of them."""
    model = structure.model(weights)

    def values(captured):
        known = {_EMBEDDING: captured.embedding}
        known |= {f"decoder.{i}.attention.input": value for i, value in enumerate(captured.inputs)}
        known |= {f"decoder.{i}.attention.weights": value for i, value in enumerate(captured.weights)}
        return [known[name] for name in names]

    def logit(added):
        captured = capture(model, tokens, dict(zip(names, added, strict=True)))
        return captured.logits[0, -1, target].astype(jnp.float32), values(captured)

    shapes = jax.eval_shape(lambda: values(capture(model, tokens)))
    zeros = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
    (value, found), gradients = jax.value_and_grad(logit, has_aux=True)(zeros)
    return value, found, gradients


def _rolled(weights: list[np.ndarray], gradients: list[np.ndarray] | None) -> np.ndarray:
    """The last token's row of the product over layers, the first layer on the right."""
    count = weights[0].shape[-1]
    found = np.eye(count)
    for index, heads in enumerate(weights):
        if gradients is None:
            mixed = (heads.mean(axis=0) + np.eye(count)) / 2
        else:
            mixed = np.maximum(heads * gradients[index], 0).mean(axis=0) + np.eye(count)
            mixed /= mixed.sum(axis=-1, keepdims=True)
        found = mixed @ found
    return found[-1]


def _by_many(structure, weights, tokens, target, method) -> tuple[np.ndarray, float, float | None]:
    """What reads the prompt many times with a changed embedding, some times at once."""
    count = tokens.shape[1]
    whole = float(scaled(structure, weights, tokens, target, np.ones((1, count)))[0][0])
    if method == "occlusion":
        return whole - scaled(structure, weights, tokens, target, 1 - np.eye(count))[0], whole, None
    points = (np.arange(_POINTS) + 0.5) / _POINTS  # the midpoint rule
    total = 0.0
    for begin in range(0, _POINTS, _ROWS):
        factors = np.broadcast_to(points[begin : begin + _ROWS, None], (_ROWS, count))
        total = total + np.asarray(_scaled_gradients(structure, weights, tokens, target, factors), np.float64)
    signed = total / _POINTS
    nothing = float(scaled(structure, weights, tokens, target, np.zeros((1, count)))[0][0])
    return signed, whole, float(signed.sum() - (whole - nothing))


def scaled(
    structure: Structure, weights: Weights, tokens: jax.Array, target: int, factors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The target's logit and its probability where each token's embedding is multiplied by a factor.

    Args:
      tokens: [1, T]
      factors: [N, T]

    Returns:
      both [N]
    """
    found = []
    for begin in range(0, len(factors), _ROWS):
        part = factors[begin : begin + _ROWS]
        rows = np.ones((_ROWS, part.shape[1]), np.float32)  # one shape, so one program
        rows[: len(part)] = part
        found.append(
            np.asarray(_logits(structure, weights, tokens, target, rows), np.float64)[:, : len(part)]
        )
    logit, probability = np.concatenate(found, axis=1)
    return logit, probability


def _read_scaled(model, tokens, factors):
    """The logits of every token behind each row. [N, V]"""

    def tap(name, value):
        return value * factors[:, :, None].astype(value.dtype) if name == _EMBEDDING else value

    rows = jnp.broadcast_to(tokens, factors.shape)
    return model(rows, tap=tap).logits[:, -1].astype(jnp.float32)


@functools.partial(jax.jit, static_argnames="structure")
def _logits(structure, weights, tokens, target, factors):
    found = _read_scaled(structure.model(weights), tokens, factors)
    return jnp.stack([found[:, target], jax.nn.softmax(found)[:, target]])


@functools.partial(jax.jit, static_argnames="structure")
def _scaled_gradients(structure, weights, tokens, target, factors):
    """Of each token: its derivative by the factor it is multiplied by, summed over rows. [T]

    By the chain rule it is the sum over d of x[t, d] dy/dx[t, d], at the scaled x.
    """
    model = structure.model(weights)
    gradients = jax.grad(lambda f: _read_scaled(model, tokens, f)[:, target].sum())(jnp.asarray(factors))
    return gradients.sum(axis=0)
