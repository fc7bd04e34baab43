"""How the embeddings of tokens lie to each other: main directions, angles, and frequencies of numbers.

Of numbers 0 to N - 1 the embedding is a function of the number. Its discrete Fourier transform tells whether
it repeats: a model that adds modulo N keeps few frequencies (Nanda et al. 2023, arXiv 2301.05217, section
4.1; of language models, Zhou et al. 2024, arXiv 2406.03445).
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, mean_score
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models import Transformer
from jaxgpt.pages.blocks import Block, Picture

#: Tokens up to which a picture names each of them, and cosines are among the rows.
_NAMED = 100


@dataclasses.dataclass(frozen=True)
class Geometry(Part):
    """The embeddings of some tokens, without positions.

    Attributes:
      tokens: their texts. [N]
      vectors: of each model, a seed each. [R, N, D]
      numbers: what the tokens write, if they are consecutive numbers in their order; else None. [N]
    """

    tokens: tuple[str, ...]
    vectors: np.ndarray
    numbers: tuple[int, ...] | None

    @property
    def coordinates(self) -> np.ndarray:
        """The first two principal components of the first model's embeddings. [N, 2]"""
        left, sizes, _ = np.linalg.svd(_centred(self.vectors[0]), full_matrices=False)
        return left[:, :2] * sizes[:2]

    @property
    def explained(self) -> np.ndarray:
        """The share of the variance that each principal component of the first model has. [min(N, D)]"""
        sizes = np.linalg.svd(_centred(self.vectors[0]), compute_uv=False) ** 2
        return sizes / max(sizes.sum(), np.finfo(float).tiny)

    @property
    def cosines(self) -> np.ndarray:
        """Between the embeddings of the first model, their mean left in. [N, N]"""
        vectors = self.vectors[0] / np.maximum(np.linalg.norm(self.vectors[0], axis=1, keepdims=True), 1e-30)
        return vectors @ vectors.T

    @property
    def frequencies(self) -> np.ndarray:
        """In periods a number: 1 / N, 2 / N, up to a half. [N // 2]

        Raises:
          ValueError: if the tokens are not consecutive numbers.
        """
        if self.numbers is None:
            raise ValueError(
                f"tokens={[*self.tokens[:5]]}... are not consecutive numbers, so they have no frequencies"
            )
        return np.arange(1, len(self.tokens) // 2 + 1) / len(self.tokens)

    @property
    def power(self) -> np.ndarray:
        """The share of the variance that each frequency has, for each model; they sum to 1. [R, N // 2]

        Raises:
          ValueError: as `frequencies`.
        """
        count = len(self.frequencies)
        found = np.abs(np.fft.rfft(self.vectors - self.vectors.mean(axis=1, keepdims=True), axis=1)) ** 2
        found = found.sum(axis=-1)[:, 1:]
        if len(self.tokens) % 2 == 0:  # all but a half stand for a frequency and its negative
            found[:, : count - 1] *= 2
        return found / np.maximum(found.sum(axis=1, keepdims=True), np.finfo(float).tiny)

    @property
    def spectrum(self) -> tuple[Estimate, ...]:
        """The mean of `power` over models, with its interval where there are several. [N // 2]

        Raises:
          ValueError: as `frequencies`.
        """
        return tuple(mean_score(column[:, None]) for column in self.power.T)

    @property
    def by_chance(self) -> np.ndarray:
        """What `power` is expected to be of vectors drawn independently. [N // 2]"""
        shares = np.full(len(self.frequencies), 2.0)
        if len(self.tokens) % 2 == 0:
            shares[-1] = 1
        return shares / shares.sum()

    def rows(self):
        """Cosines are left out above 100 tokens."""
        return ("measure", "token", "other", "value", "low", "high"), (row for row in self._rows())

    def _rows(self):
        for place, share in enumerate(self.explained.tolist(), start=1):
            yield "explained share", f"component {place}", "", share, "", ""
        for token, pair in zip(self.tokens, self.coordinates.tolist(), strict=True):
            for place, value in enumerate(pair, start=1):
                yield f"component {place}", token, "", value, "", ""
        if self.numbers is not None:
            for place, estimate in enumerate(self.spectrum, start=1):
                name = f"{place}/{len(self.tokens)}"
                yield "power", name, "", estimate.mean, *(estimate.interval or ("", ""))
        if len(self.tokens) <= _NAMED:
            for place, row in enumerate(self.cosines.tolist()):
                for other in range(place):
                    yield "cosine", self.tokens[place], self.tokens[other], row[other], "", ""

    def summary(self) -> str:
        told = (
            f"Two principal components explain {self.explained[:2].sum():.0%} of the variance of the "
            f"embeddings of {len(self.tokens):,} tokens."
        )
        if self.numbers is None:
            return told
        shares = [estimate.mean for estimate in self.spectrum]
        best = int(np.argmax(shares))
        chance = self.by_chance[best]
        return (
            f"{told} As a function of the number, the frequency {best + 1}/{len(self.tokens)} has the "
            f"largest share of it, {shares[best]:.0%}; of random vectors it would have {chance:.1%}."
        )

    def blocks(self) -> list[Block]:
        found: list[Block] = [Picture(self.plot(), self.summary())]
        if self.numbers is not None:
            strongest = np.argsort([-estimate.mean for estimate in self.spectrum], kind="stable")[:3] + 1
            told = ", ".join(f"{place}/{len(self.tokens)}" for place in strongest)
            found.append(
                Picture(self.spectrum_plot(), f"The strongest frequencies of the embedding: {told}.")
            )
        return [*found, Picture(self.cosine_plot(), "Cosines between the embeddings of all pairs of tokens.")]

    def plot(self):
        """The first two principal components of each token; neighbouring numbers joined by a line."""
        figure, (axes,) = plots.new_figure(5.6, 4.8)
        x, y = self.coordinates.T
        if self.numbers is not None and len(x) <= _NAMED:
            axes.plot(x, y, color=plots.GREY, linewidth=0.6, alpha=0.5)
        count = len(self.tokens)
        dots = axes.scatter(x, y, c=range(count), cmap="viridis", s=8 if count > 20 else 16)
        every = max(1, count // 20) if count > _NAMED else 1
        for place in range(0, count, every):
            axes.annotate(
                drawn_label(self.tokens[place]),
                (x[place], y[place]),
                xytext=(4, 4),
                textcoords="offset points",
                fontsize=10 if count <= 20 else 7,
            )
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.1)
        axes.set_xlabel(f"component 1, {self.explained[0]:.0%} of the variance")
        axes.set_ylabel(f"component 2, {self.explained[1]:.0%}")
        if count > _NAMED:
            figure.colorbar(dots, ax=axes, label="place among the tokens")
        return figure

    def spectrum_plot(self):
        """The share of the variance at each frequency, with intervals over models where there are several.

        Raises:
          ValueError: as `frequencies`.
        """
        count, spectrum = len(self.tokens), self.spectrum
        figure, (axes,) = plots.new_figure(6.4, 3.2)
        places = np.arange(1, len(spectrum) + 1)
        means = [estimate.mean for estimate in spectrum]
        if len(places) <= 20:
            axes.bar(places, means, width=0.8, color=plots.BLUE)
        else:  # bars would be thinner than a pixel
            axes.vlines(places, 0, means, color=plots.BLUE, linewidth=1.2)
        if spectrum[0].interval is not None:
            bounds = np.asarray([estimate.interval for estimate in spectrum]).T
            reach = np.abs(bounds - means)
            axes.errorbar(places, means, yerr=reach, fmt="none", ecolor=plots.GREY, linewidth=1, capsize=2)
        axes.plot(
            places, self.by_chance, color=plots.ORANGE, linestyle="--", linewidth=1, label="random vectors"
        )
        if len(places) <= 20:
            axes.set_xticks(places, [f"{place}/{count}" for place in places])
            axes.set_xlabel("frequency, periods a number")
        else:
            axes.set_xlabel(f"frequency, periods in {count:,} numbers")
        axes.set_ylim(0)
        axes.set_ylabel("share of the variance")
        axes.legend(frameon=False)
        return figure

    def cosine_plot(self):
        """The cosine of each pair of tokens."""
        count = len(self.tokens)
        figure, (axes,) = plots.new_figure(5.2, 4.4)
        picture = axes.imshow(self.cosines, cmap="RdBu", vmin=-1, vmax=1)
        if count <= 40:
            names, size = [drawn_label(token) for token in self.tokens], 9 if count <= 20 else 6
            axes.set_xticks(range(count), names, fontsize=size)
            axes.set_yticks(range(count), names, fontsize=size)
            axes.tick_params(length=0)
        figure.colorbar(picture, ax=axes, label="cosine")
        return figure


def geometry(source: Source | Subject, tokens: Sequence[str] | None = None) -> Geometry:
    """How the embeddings of tokens lie to each other.

        jaxgpt.lab.geometry("runs/addition").spectrum_plot()

    Args:
      tokens: the text of each, in order. None: all numbers of the longest length of which the vocabulary has
        every one, such as the digits 0 to 9, or the groups 000 to 999.

    Raises:
      ValueError: for fewer than three tokens, a text that is not one token or comes twice, or, without
        `tokens`, a vocabulary without the ten digits.
    """
    subject = Subject.of(source)
    texts = subject.tokenizer.token_texts()
    if tokens is None:
        tokens = _all_numbers(texts)
    if isinstance(tokens, str) or len(tokens) < 3 or len(set(tokens)) < len(tokens):
        raise ValueError(f"tokens={tokens!r}: give a list of at least three different tokens")
    known = {text: index for index, text in reversed(list(enumerate(texts)))}
    ids = [known[text] if text in known else subject.token(text) for text in tokens]
    vectors = np.stack([_vectors(model, ids) for model in subject.models])
    return Geometry(tuple(tokens), vectors, _consecutive(tokens))


def _all_numbers(texts: Sequence[str]) -> list[str]:
    numbers = {text for text in texts if text.isascii() and text.isdigit()}
    counts = Counter(map(len, numbers))
    for length in sorted(counts, reverse=True):
        # Counted, since all numbers of a long token's length would not fit into memory.
        if counts[length] == 10**length:
            return [str(number).zfill(length) for number in range(10**length)]
    raise ValueError(
        f"the vocabulary has {len(numbers)} tokens of digits alone, and not all ten digits; give tokens=[...]"
    )


def _consecutive(tokens: Sequence[str]) -> tuple[int, ...] | None:
    if not all(token.isascii() and token.isdigit() for token in tokens):
        return None
    numbers = tuple(map(int, tokens))
    return numbers if numbers == tuple(range(numbers[0], numbers[0] + len(numbers))) else None


def _vectors(model: Transformer, ids: Sequence[int]) -> np.ndarray:
    return np.asarray(model.embedding(np.asarray([ids], np.int32))[0], np.float64)


def _centred(vectors: np.ndarray) -> np.ndarray:
    return vectors - vectors.mean(axis=0)
