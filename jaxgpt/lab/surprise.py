"""What a model expects next, and how sure it is, as it learns."""

import dataclasses
import math
from collections.abc import Sequence

import jax
import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, mean_score
from jaxgpt.lab.part import Part, band, drawn_label, step_axis
from jaxgpt.lab.subject import Source, Subject, steps_of
from jaxgpt.lab.windows import entropies, over_windows, windows
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.pages.token_text import label as token_label


@dataclasses.dataclass(frozen=True)
class NextTokens(Part):
    """The distribution of the next token behind the same texts, at every step that was kept.

    Attributes:
      steps: [S]
      prefixes: each is the one before it and one more token. [P]
      tokens: the text of every token. [V]
      probabilities: the mean over seeds. [S, P, V]
    """

    steps: tuple[int, ...]
    prefixes: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: np.ndarray

    @property
    def bits(self) -> np.ndarray:
        """The entropy of each distribution. [S, P]"""
        logs = np.log2(
            self.probabilities, where=self.probabilities > 0, out=np.zeros_like(self.probabilities)
        )
        return -(self.probabilities * logs).sum(axis=-1)

    def top(self, step: int, prefix: int, count: int = 7) -> list[tuple[str, float]]:
        """The likeliest tokens at one of the steps, by its place among them, behind one of the prefixes."""
        row = self.probabilities[step, prefix]
        return [(self.tokens[token], float(row[token])) for token in np.argsort(-row, kind="stable")[:count]]

    def rows(self):
        return ("step", "prefix", "token", "probability"), (
            (step, prefix, self.tokens[token], float(self.probabilities[s, p, token]))
            for s, step in enumerate(self.steps)
            for p, prefix in enumerate(self.prefixes)
            for token in np.argsort(-self.probabilities[s, p], kind="stable")
        )

    def summary(self) -> str:
        best = [self.top(-1, place, 1)[0] for place in range(len(self.prefixes))]
        told = "; ".join(
            f"behind ...{token_label(prefix[-20:])} it is {token_label(token)} with {share:.0%}"
            for prefix, (token, share) in zip(self.prefixes, best, strict=True)
        )
        bits = self.bits
        return (
            f"At step {self.steps[-1]} the likeliest next token {told}. Behind the prompt the entropy is "
            f"{bits[0, 0]:.2f} bits at step {self.steps[0]} and {bits[-1, 0]:.2f} at the end."
        )

    def blocks(self) -> list[Block]:
        told = self.summary()
        if len(self.steps) < 2:
            return [Picture(self.plot(), told)]
        over = f"Probabilities over training of the {len(self.top(-1, 0, 5))} tokens likeliest at the end."
        return [Picture(self.plot(), told), Picture(self.trajectories(), over)]

    def plot(self, most: int = 5):
        """The seven likeliest tokens, a panel each step and prefix; at most `most` of the steps."""
        chosen = sorted(
            set(np.linspace(0, len(self.steps) - 1, min(most, len(self.steps))).round().astype(int))
        )
        size = (2.1 * len(chosen), 1.9 * len(self.prefixes))
        figure, panels = plots.new_panels(*size, len(self.prefixes), len(chosen), sharex=False)
        places = ((p, s) for p in range(len(self.prefixes)) for s in chosen)
        for axes, (p, s) in zip(panels, places, strict=False):
            top = self.top(int(s), p)
            # Nothing is clipped and no tick is drawn: a page holds many of these.
            axes.bar(range(len(top)), [value for _, value in top], color=plots.BLUE, clip_on=False)
            axes.tick_params(axis="x", length=0)
            axes.set_xticks(range(len(top)), [drawn_label(token) for token, _ in top], fontsize=8)
            axes.set_title(f"step {self.steps[s]}: {self.bits[s, p]:.2f} bits", fontsize=8)
            if s == chosen[0]:
                axes.set_ylabel(f"...{drawn_label(self.prefixes[p][-12:])}", fontsize=8)
        return figure

    def trajectories(self, prefix: int = 0, count: int = 5):
        """The probabilities of the last step's likeliest tokens over all steps, as a figure."""
        figure, (axes,) = plots.new_figure(6.4, 3.6)
        for token in np.argsort(-self.probabilities[-1, prefix], kind="stable")[:count]:
            label = drawn_label(self.tokens[token])
            axes.plot(self.steps, self.probabilities[:, prefix, token], marker="o", markersize=3, label=label)
        step_axis(axes, self.steps)
        axes.set_ylim(0)
        axes.set_ylabel(f"probability behind ...{drawn_label(self.prefixes[prefix][-16:])}")
        axes.legend(frameon=False)
        return figure


@dataclasses.dataclass(frozen=True)
class Entropy(Part):
    """The mean entropy of the next token over a text, at every step that was kept.

    Attributes:
      steps: [S]
      bits: with its interval over seeds; of one seed, over windows of the text. [S]
      vocabulary: ids that the model chooses among: log2 of it is the most that there can be.
    """

    steps: tuple[int, ...]
    bits: tuple[Estimate, ...]
    vocabulary: int

    @property
    def relative(self) -> np.ndarray:
        """The means, divided by the most there can be. [S]"""
        return np.asarray([estimate.mean for estimate in self.bits]) / math.log2(self.vocabulary)

    def rows(self):
        return ("step", "bits", "low", "high", "relative to log2 V"), (
            (step, estimate.mean, *(estimate.interval or ("", "")), float(share))
            for step, estimate, share in zip(self.steps, self.bits, self.relative, strict=True)
        )

    def summary(self) -> str:
        first, last = self.bits[0].mean, self.bits[-1].mean
        ends = f"{last:.2f} bits, {self.relative[-1]:.0%} of the most there can be"
        if len(self.steps) < 2:
            return f"The mean entropy of the next token is {ends}."
        return (
            f"The mean entropy of the next token is {first:.2f} bits at step {self.steps[0]} and {ends}, "
            f"at step {self.steps[-1]}."
        )

    def plot(self):
        figure, (axes,) = plots.new_figure(6.4, 3.6)
        band(axes, self.steps, self.bits, "", plots.BLUE)
        axes.axhline(math.log2(self.vocabulary), color=plots.GREY, linestyle="--", linewidth=0.8)
        step_axis(axes, self.steps)
        axes.set_ylim(0)
        axes.set_ylabel("entropy of the next token, bits")
        return figure


def next_tokens(source: Source, prompt: str, *, count: int = 3) -> NextTokens:
    """What a run expects behind a prompt at every kept step, and behind what its last model goes on with.

    Args:
      source: a run or its directory; of models with their tokenizer there is one step, called 0.
      count: of prefixes: the prompt, the prompt and the token that the last model finds likeliest, and so on.
        All steps read the same ones.

    Raises:
      ValueError: for a prompt that the tokenizer or the model cannot read, a count below 1, or a run of which
        fewer than two steps were kept.
    """
    if count < 1:
        raise ValueError(f"count={count} must be at least 1")
    subjects = steps_of(source)
    last = subjects[-1].decoder()
    tokens = last.encode(prompt, most=last.models[0].config.max_length - count + 1)
    begun = len(tokens) - len(last.tokenizer.encode_exactly(prompt))
    prefixes = []
    for _ in range(count):
        prefixes.append(list(tokens))
        tokens = [*tokens, int(_next(last, tokens).argmax())]
    found = np.asarray([[_next(subject, prefix) for prefix in prefixes] for subject in subjects])
    texts = tuple(last.tokenizer.decode(prefix[begun:]) for prefix in prefixes)
    return NextTokens(tuple(s.step or 0 for s in subjects), texts, tuple(last.tokenizer.token_texts()), found)


def entropy(source: Source, text: str) -> Entropy:
    """How sure a run is of the next token over a text, at every kept step.

    Args:
      source: as `next_tokens`.

    Raises:
      ValueError: for a text that the tokenizer cannot write or that does not fill a window of the model, or a
        run of which fewer than two steps were kept.
    """
    subjects = steps_of(source)
    rows = windows(subjects[-1].decoder(), text)
    found = [mean_score(over_windows(subject, rows, entropies)) for subject in subjects]
    return Entropy(
        tuple(s.step or 0 for s in subjects), tuple(found), subjects[-1].models[0].config.vocab_size
    )


def _next(subject: Subject, tokens: Sequence[int]) -> np.ndarray:
    """The distribution behind some tokens, its mean over seeds. [V]"""
    rows = np.asarray([[*tokens, 0]], np.int32)
    return over_windows(subject, rows, _of_the_last).mean(axis=0)[0]


def _of_the_last(logits: jax.Array, targets: jax.Array) -> jax.Array:
    return jax.nn.softmax(logits[:, -1])
