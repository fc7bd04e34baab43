"""How often each character or token occurs in texts."""

import dataclasses
from collections import Counter
from collections.abc import Mapping

import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.lab.part import Part
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.pages.token_text import label as token_label
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Symbols that a picture has room for.
_DRAWN = 80
#: What all texts together are called.
_ALL = "all together"


@dataclasses.dataclass(frozen=True)
class Frequencies(Part):
    """How often each symbol occurs in each text; N texts, V symbols.

    Attributes:
      names: of the texts. [N]
      symbols: characters or the texts of tokens, the most frequent in all texts together first. [V]
      counts: [N, V]
      unit: what a symbol is.
    """

    names: tuple[str, ...]
    symbols: tuple[str, ...]
    counts: np.ndarray
    unit: str

    @property
    def shares(self) -> np.ndarray:
        """The counts of each text, divided by their sum. [N, V]"""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    @property
    def together(self) -> np.ndarray:
        """The counts in all texts together. [V]"""
        return self.counts.sum(axis=0)

    @property
    def own(self) -> tuple[int, ...]:
        """For each text, the symbols that it alone has. [N]"""
        alone = (self.counts > 0).sum(axis=0) == 1
        return tuple(int(count) for count in ((self.counts > 0) & alone).sum(axis=1))

    def rows(self):
        rows = [*zip(self.names, self.counts, strict=True)]
        if len(rows) > 1:
            rows.append((_ALL, self.together))
        return ("text", self.unit, "count", "share"), (
            (name, symbol, int(count), float(count / counts.sum()))
            for name, counts in rows
            for symbol, count in zip(self.symbols, counts, strict=True)
        )

    def summary(self) -> str:
        together = self.together
        first, share = token_label(self.symbols[0]), together[0] / together.sum()
        told = (
            f"{len(self.symbols):,} different {self.unit}s; the most frequent one is {first} "
            f"with {share:.1%} of all."
        )
        if len(self.names) < 2:
            return told
        own = ", ".join(f"{name} {count:,}" for name, count in zip(self.names, self.own, strict=True))
        return f"{told} {self.unit.capitalize()}s that only one text has: {own}."

    def blocks(self) -> list[Block]:
        drawn = min(_DRAWN, len(self.symbols))
        what = f"the {drawn} most frequent {self.unit}s" if drawn < len(self.symbols) else f"all {self.unit}s"
        return [Picture(self.plot(), f"Shares of {what}. {self.summary()}")]

    def plot(self):
        """The shares of the 80 most frequent symbols, the same ones for each text; below on a log scale."""
        counts = [*self.counts] if len(self.names) < 2 else [*self.counts, self.together]
        labels = [token_label(symbol) for symbol in self.symbols[:_DRAWN]]
        percent = [100 * row[: len(labels)] / row.sum() for row in counts]
        drawn = np.concatenate(percent)
        # One scale for all texts; half of the least, so that its bar is seen.
        limits = {"linear": (0, 1.05 * drawn.max()), "log": (drawn[drawn > 0].min() / 2, 2 * drawn.max())}
        height = 2.6 * len(counts)
        figure, panels = plots.new_figure(max(4.0, 0.9 + 0.105 * len(labels)), height, 2 * len(counts))
        for index, (name, row, shares) in enumerate(zip((*self.names, _ALL), counts, percent, strict=False)):
            color = plots.GREY if index == len(self.names) else plots.BLUE
            top, bottom = pair = panels[2 * index : 2 * index + 2]
            for axes, scale in zip(pair, limits, strict=True):
                axes.bar(range(len(labels)), shares, width=0.8, color=color)
                axes.set_yscale(scale)
                axes.set_ylim(limits[scale])
                axes.tick_params(axis="y", labelsize=8)
                axes.set_ylabel("%" if scale == "linear" else "%, log scale", fontsize=8)
            different = f"{row.sum():,} {self.unit}s, {(row > 0).sum():,} different"
            top.set_title(f"{plots.label(name)}: {different}", fontsize=9, loc="left")
            bottom.tick_params(axis="x", labelbottom=True)
        bottom.set_xlim(-0.8, len(labels) - 0.2)
        bottom.set_xticks(range(len(labels)))
        for axes in panels[1::2]:
            # Characters of one width each keep apart; longer tokens stand upright.
            style = {"fontsize": 7, "family": "monospace", "rotation": 90 if max(map(len, labels)) > 2 else 0}
            axes.set_xticklabels(labels, parse_math=False, **style)
        for axes in panels:
            axes.tick_params(axis="x", length=0)
        return figure


def frequencies(texts: Mapping[str, str], tokenizer: Tokenizer | None = None) -> Frequencies:
    """How often each character occurs in each text, or each token where a tokenizer is given.

        jaxgpt.lab.frequencies({"plays": ..., "maths": ...}).to_csv("frequencies.csv")

    Raises:
      ValueError: without a text, for an empty one, or one that the tokenizer cannot write; it is named.
    """
    if not texts:
        raise ValueError("texts={}: give at least one, by its name")
    found = []
    for name, text in texts.items():
        if not text:
            raise ValueError(f"the text {name!r} is empty")
        try:
            found.append(Counter(text if tokenizer is None else map(int, tokenizer.encode_exactly(text))))
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error
    total = sum(found, Counter())
    order = sorted(total, key=lambda symbol: (-total[symbol], symbol))
    counts = np.asarray([[count[symbol] for symbol in order] for count in found], np.int64)
    if tokenizer is None:
        return Frequencies(tuple(texts), tuple(order), counts, "character")
    names = tokenizer.token_texts()
    return Frequencies(tuple(texts), tuple(names[token] for token in order), counts, "token")
