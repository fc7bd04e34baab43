"""Which words of its source a decoder looks at as it writes each word (Bahdanau et al. 2015)."""

import dataclasses
from collections.abc import Sequence
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt import generation
from jaxgpt.evaluation import plots
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models import Transformer
from jaxgpt.nn.tap import recorder
from jaxgpt.pages.token_text import label as token_label
from jaxgpt.tokenizers.tokenizer import Tokenizer

Unit = Literal["words", "tokens"]
#: The label of the end token, which sources and targets have, too.
END = "<end>"
#: Pictures side by side.
_COLUMNS = 3


class Aligned(NamedTuple):
    """A source and its target, in words or tokens.

    Attributes:
      source: the last one is the end. [S]
      target: [T]
      weights: how much of its attention each word of the target gives to each of the source; a row sums to 1.
        [T, S]
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: np.ndarray


@dataclasses.dataclass(frozen=True)
class Alignment(Part):
    """The attention of targets to their sources (Bahdanau et al. 2015, arXiv 1409.0473, figure 3)."""

    sentences: tuple[Aligned, ...]

    def rows(self):
        header = ("sentence", "target place", "target", "source place", "source", "weight")
        return header, (
            (index, t, target, s, source, float(one.weights[t, s]))
            for index, one in enumerate(self.sentences)
            for t, target in enumerate(one.target)
            for s, source in enumerate(one.source)
        )

    def summary(self) -> str:
        one = self.sentences[0]
        t, s = np.unravel_index(np.argmax(one.weights), one.weights.shape)
        most = np.concatenate([each.weights.max(axis=1) for each in self.sentences])
        written, looked_at = token_label(one.target[t]), token_label(one.source[s])
        return (
            f"As the model writes {written}, it looks most at {looked_at}, with {one.weights[t, s]:.0%} of "
            f"its attention. In the mean over all {len(most)} words that it writes, {most.mean():.0%} is on "
            "one word of the source."
        )

    def plot(self):
        """A panel each sentence: sources across, targets down, white where all of the attention is."""
        columns = min(_COLUMNS, len(self.sentences))
        height = max(len(one.target) for one in self.sentences)
        width = max(len(one.source) for one in self.sentences)
        lines = -(-len(self.sentences) // columns)
        size = (columns * (0.32 * width + 1.4) + 0.8, lines * (0.32 * height + 1.2))
        figure = plots.empty_figure(*size)
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes in panels[len(self.sentences) :]:
            axes.set_axis_off()
        for axes, one in zip(panels, self.sentences, strict=False):
            picture = axes.imshow(one.weights, cmap="gray", vmin=0, vmax=1, aspect="equal")
            axes.set_xticks(range(len(one.source)), map(drawn_label, one.source), rotation=90, fontsize=8)
            axes.set_yticks(range(len(one.target)), map(drawn_label, one.target), fontsize=8)
            axes.xaxis.tick_top()
            axes.tick_params(length=0)
        plots.scale(figure, picture, panels, "weight", shrink=0.8, aspect=30)
        return figure


def alignment(
    source: Source | Subject,
    texts: str | Sequence[str],
    targets: Sequence[str] | None = None,
    *,
    unit: Unit = "words",
    layer: int = -1,
) -> Alignment:
    """The attention of the first model to each text, at each token of the target that it writes.

        jaxgpt.lab.alignment("runs/translation", ["i am tired.", "who won?"]).plot()

    A word that is several tokens has the sum of their weights in the source, and the mean in the target. Of a
    Transformer the weights are the mean over the heads of one layer.

    Args:
      texts: as the model reads them.
      targets: one for each text; None: what the model writes.
      unit: `words` puts tokens together that a word was cut into.
      layer: of a Transformer's decoder, counted from the last one with negative numbers.

    Raises:
      ValueError: for no text, targets that are not as many, a text that the tokenizer or the model cannot
        read, a layer that is not there, or a model whose decoder does not attend to a source.
    """
    subject = Subject.of(source)
    model, tokenizer = subject.models[0], subject.tokenizer
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not texts:
        raise ValueError("texts=[]: give at least one text")
    name = _weights_name(model, layer)
    if targets is None:
        most = model.config.max_length - 1
        written = generation.complete(model, tokenizer, texts, max_new_tokens=most)
        targets = [several[0] for several in written]
    if len(targets) != len(texts):
        raise ValueError(f"{len(targets)} targets for {len(texts)} texts; give one a text")
    found = []
    for text, target in zip(texts, targets, strict=True):
        read = [*tokenizer.encode_exactly(text), tokenizer.eos_id]
        start = tokenizer.begun([])
        write = tokenizer.encode_exactly(target)
        if max(len(read), len(start) + len(write)) > model.config.max_length:
            raise ValueError(
                f"{text!r} has {len(read)} tokens and its target {len(write)}; the model reads "
                f"{model.config.max_length}: shorten them"
            )
        # Where the model has read the last token of `start`, it writes the first of the target.
        weights = _weights(model, [*start, *write], read, name)[len(start) - 1 :]
        found.append(_aligned(tokenizer, read[:-1], write, weights, unit))
    return Alignment(tuple(found))


def _weights_name(model: Transformer, layer: int) -> str:
    """The tap's name of the attention weights over the source."""
    config = model.config
    if config.kind != "encoder_decoder":
        raise ValueError(f"model.kind={config.kind}: an alignment is of an encoder-decoder")
    if not -config.num_layers <= layer < config.num_layers:
        raise ValueError(f"layer={layer} is not there; give 0 to {config.num_layers - 1}, or -1 for the last")
    seen, tap = recorder()
    token = jnp.zeros((1, 1), jnp.int32)
    jax.eval_shape(lambda: model(token, source=token, tap=tap).logits)
    # Of a recurrent decoder the first layer alone attends, and to nothing but the source.
    for name in (
        f"decoder.{layer % config.num_layers}.cross_attention.weights",
        "decoder.0.attention.weights",
    ):
        if name in seen:
            return name
    kind = type(config.mixer).kind()
    raise ValueError(f"model.mixer={kind} has no attention to its source; set model.mixer.additive=true")


def _weights(model: Transformer, tokens: list[int], read: list[int], name: str) -> np.ndarray:
    """The mean over heads. [T, S]"""
    seen, tap = recorder()
    model(jnp.asarray([tokens]), source=jnp.asarray([read]), tap=tap)
    return np.asarray(seen[name], np.float64)[0].mean(axis=0)


def _aligned(
    tokenizer: Tokenizer, read: list[int], write: list[int], weights: np.ndarray, unit: Unit
) -> Aligned:
    sources, targets = (_units(tokenizer, ids, unit) for ids in (read, write))
    summed = np.add.reduceat(weights, [begin for begin, _ in sources], axis=1)
    begins = [begin for begin, _ in targets]
    counts = np.diff([*begins, len(weights)])
    mean = np.add.reduceat(summed, begins, axis=0) / counts[:, None]
    return Aligned(tuple(text for _, text in sources), tuple(text for _, text in targets), mean)


def _units(tokenizer: Tokenizer, ids: list[int], unit: Unit) -> list[tuple[int, str]]:
    """Where each word begins, and its text; then the end token.

    A token goes on with a word where letters or digits meet, or parts of one character, or behind a space.
    """
    texts = [tokenizer.token_texts()[token] for token in ids]
    begins: list[int] = []
    blank = False  # whether the word is white space so far
    for place, text in enumerate(texts):
        met = place > 0 and _in_word(texts[place - 1][-1:]) and _in_word(text[:1])
        if unit == "tokens" or not begins or not (met or blank):
            begins.append(place)
            blank = True
        blank = blank and not text.strip()
    ends = [*begins[1:], len(ids)]
    spans = zip(begins, ends, strict=True)
    parts = [(begin, tokenizer.decode(ids[begin:end]).strip()) for begin, end in spans]
    return [*parts, (len(ids), END)]


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "\ufffd"
