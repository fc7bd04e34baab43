"""What a model writes, as it learns: the same prompts and the same random choices at every step."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jaxgpt.core.tables import Entry, Table
from jaxgpt.core.wording import quoted
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, mean_score
from jaxgpt.generation import Sampling, complete
from jaxgpt.lab.part import Part, band, step_axis
from jaxgpt.lab.subject import Source, Subject, steps_of
from jaxgpt.lab.whole_words import mean_length, share_known, share_repeated, vocabulary
from jaxgpt.pages.blocks import Block, Chooser, Paragraph, Passage, Picture

#: Prompts times seeds that are decoded together.
_TOGETHER = 256


@dataclasses.dataclass(frozen=True)
class Samples(Part):
    """Texts that models wrote; S steps, R models, P prompts, K seeds of the random choices.

    Attributes:
      steps: [S]
      prompts: [P]
      seeds: [K]
      texts: without their prompts. [S][R][P][K]
      scores: of each text, by the name of what is measured. [S, R, P, K] each
    """

    steps: tuple[int, ...]
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    texts: tuple[tuple[tuple[tuple[str, ...], ...], ...], ...]
    scores: Mapping[str, np.ndarray]

    @property
    def measures(self) -> dict[str, tuple[Estimate, ...]]:
        """The mean at each step by name; its interval is over models, or over the texts of a single one."""
        return {
            name: tuple(mean_score(step.reshape(len(step), -1)) for step in values)
            for name, values in self.scores.items()
        }

    @property
    def last(self) -> list[str]:
        """All texts of the last step, without their prompts."""
        return [text for model in self.texts[-1] for prompt in model for text in prompt]

    def rows(self):
        return ("step", "model", "prompt", "seed", "text", *self.scores), (
            (step, r, prompt, seed, self.texts[s][r][p][k], *(float(v[s, r, p, k]) for v in scores))
            for scores in (tuple(self.scores.values()),)
            for s, step in enumerate(self.steps)
            for r in range(len(self.texts[s]))
            for p, prompt in enumerate(self.prompts)
            for k, seed in enumerate(self.seeds)
        )

    def summary(self) -> str:
        measures = self.measures
        found = "; ".join(
            f"{name} {_shown(name, row[-1].mean)}"
            + (f" (step {self.steps[0]}: {_shown(name, row[0].mean)})" if len(self.steps) > 1 else "")
            for name, row in measures.items()
        )
        count = len(self.last)
        texts = f"{count} texts" if count > 1 else "one text"
        return f"Means over {texts} of step {self.steps[-1]}: {found}."

    def blocks(self) -> list[Block]:
        frames = [self._passages(step) for step in range(len(self.steps))]
        note = "The measures are over all models; the texts shown are those of the first one."
        told: list[Block] = [Paragraph(note)] if len(self.texts[0]) > 1 else []
        if len(self.steps) < 2:
            return [*told, *frames[0], self.table()]
        chooser = Chooser({"step": [f"{step:,}" for step in self.steps]}, frames)
        return [*told, chooser, Picture(self.plot(), self.summary()), self.table()]

    def _passages(self, step: int) -> list[Block]:
        return [
            Passage(prompt + text, f"{quoted(prompt)}, seed {seed}")
            for prompt, texts in zip(self.prompts, self.texts[step][0], strict=True)
            for seed, text in zip(self.seeds, texts, strict=True)
        ]

    def table(self) -> Table:
        """The means with their intervals, a row each step."""
        measures = self.measures
        caption = (
            f"Means over {len(self.prompts)} prompt{'s' * (len(self.prompts) > 1)} and {len(self.seeds)} "
            f"text{'s' * (len(self.seeds) > 1)} of each model, with intervals at 95 %. "
            "Shares of words are in [0, 1]."
        )
        rows = (
            (Entry(f"{step:,}"), *(_entry(name, row[s]) for name, row in measures.items()))
            for s, step in enumerate(self.steps)
        )
        return Table("Samples", caption, ("step", *measures), tuple(rows))

    def plot(self):
        """Each measure against the step."""
        measures = self.measures
        figure, panels = plots.new_figure(6.4, 0.5 + 1.6 * len(measures), len(measures))
        for axes, (name, row) in zip(panels, measures.items(), strict=True):
            band(axes, self.steps, row, name, plots.BLUE)
            axes.set_ylim(0, 1.02 if _is_share(name) else None)
            axes.set_title(name, fontsize=9, loc="left")
        step_axis(panels[-1], self.steps)
        return figure


def samples(
    source: Source | Subject,
    prompts: Sequence[str],
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    tokens: int = 200,
    temperature: float = 0.8,
    top_k: int | None = 200,
    corpus: str | None = None,
) -> Samples:
    """What a run writes behind prompts at every kept step, and measures of it.

        jaxgpt.lab.samples("runs/plays", ["ROMEO:", "My lord, "], corpus=training_text)

    A text's random choices follow from its seed and the place of its prompt alone, so that texts of two
    steps differ by what the model has learned in between. Temperature and top-k are those of nanoGPT's
    sample.py. Measured of each text, without its prompt:

    - words found: the share of its words that stand in `corpus`. A word is a run of letters, case folded; one
      at an end of the text may be cut, and is left out.
    - repeated 4-grams: the share of its runs of four words that came before in it, 1 - different / all.
    - letters a word, and characters.

    Args:
      source: a run or its directory; of models with their tokenizer there is one step, called 0.
      seeds: a text each, of each prompt and model.
      tokens: that a text has at most; it ends earlier where the model writes that it ends. It may be longer
        than the model reads: where that is full, the model goes on from the last half of it
        (`overflow="slide"` of `jaxgpt.generate`).
      corpus: text that words are looked for in, such as the training text; None measures no such share.

    Raises:
      ValueError: without a prompt or a seed, for a seed that is negative or given twice, a prompt that the
        tokenizer cannot write, settings that sampling refuses, and as `kept`.
    """
    if not prompts or not seeds:
        name = "seeds" if prompts else "prompts"
        raise ValueError(f"{name}=(): give at least one")
    if min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds={tuple(seeds)}: give each once, and none below 0")
    sampling = Sampling(temperature=temperature, top_k=top_k)
    subjects = steps_of(source)
    last = subjects[-1].decoder()
    for prompt in prompts:
        try:
            last.tokenizer.encode(prompt)
        except ValueError as error:
            raise ValueError(f"prompt {quoted(prompt)}: {error}") from error
    texts = tuple(_written(subject, prompts, seeds, tokens, sampling) for subject in subjects)
    measured = _measures(corpus)
    scores = {
        name: np.asarray([[[[measure(t) for t in p] for p in r] for r in s] for s in texts], np.float64)
        for name, measure in measured.items()
    }
    steps = tuple(subject.step or 0 for subject in subjects)
    return Samples(steps, tuple(prompts), tuple(seeds), texts, scores)


def _measures(corpus: str | None) -> dict[str, Callable[[str], float]]:
    found: dict[str, Callable[[str], float]] = {}
    if corpus is not None:
        known = vocabulary(corpus)
        found["words found"] = lambda text: share_known(text, known)
    return found | {
        "repeated 4-grams": share_repeated,
        "letters a word": mean_length,
        "characters": lambda text: float(len(text)),
    }


def _written(
    subject: Subject, prompts: Sequence[str], seeds: Sequence[int], tokens: int, sampling: Sampling
) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """The texts of each model, [R][P][K]; all prompts and seeds of a model are decoded together."""
    pairs = [(place, seed) for place in range(len(prompts)) for seed in seeds]
    row_ids = [int(np.random.SeedSequence(pair).generate_state(1)[0]) for pair in pairs]
    found = []
    for model in subject.models:
        texts = complete(
            model,
            subject.tokenizer,
            [prompts[place] for place, _ in pairs],
            max_new_tokens=tokens,
            sampling=sampling,
            batch_size=min(len(pairs), _TOGETHER),
            overflow="slide",
            row_ids=row_ids,
        )
        count = len(seeds)
        starts = range(0, len(texts), count)
        found.append(tuple(tuple(text for (text,) in texts[at : at + count]) for at in starts))
    return tuple(found)


def _is_share(name: str) -> bool:
    return name in ("words found", "repeated 4-grams")


def _shown(name: str, value: float) -> str:
    return f"{value:.3f}" if _is_share(name) else f"{value:.1f}"


def _entry(name: str, estimate: Estimate) -> Entry:
    bounds = estimate.interval
    detail = "" if bounds is None else f"{_shown(name, bounds[0])}-{_shown(name, bounds[1])}"
    return Entry(_shown(name, estimate.mean), detail=detail)
