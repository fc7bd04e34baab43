"""What is analysed: models of one configuration and their tokenizer, wherever they come from."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, TypeGuard

import numpy as np

from jaxgpt.huggingface.load import Pretrained
from jaxgpt.models import Transformer
from jaxgpt.runs import run as runs
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run import Run
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: A run, its directory, or a model (or several, a seed each) with its tokenizer, as `load_hf` gives it.
Source = Run | Path | str | Pretrained | tuple[Transformer | Sequence[Transformer], Tokenizer]


@dataclasses.dataclass(frozen=True)
class Subject:
    """Models that are analysed.

    Attributes:
      models: one a seed.
      name: of the run's directory; "" for models without one.
      step: that the weights are of; None where that is not known.
    """

    models: tuple[Transformer, ...]
    tokenizer: Tokenizer
    name: str = ""
    step: int | None = None

    @classmethod
    def of(cls, source: "Source | Subject") -> "Subject":
        """The subject in a run, in the directory of one, or of a model and its tokenizer.

        Raises:
          ValueError: if a directory holds no run, or there is no model or no tokenizer.
        """
        if isinstance(source, Subject):
            return source
        if isinstance(source, str | Path):
            source = runs.load(source)
        if isinstance(source, Run):
            return cls(
                (source.model, *source.models[1:]), source.tokenizer, source.directory.name, source.step
            )
        models, tokenizer = (source.model, source.tokenizer) if isinstance(source, Pretrained) else source
        models = (models,) if isinstance(models, Transformer) else tuple(models)
        if not models:
            raise ValueError("models=(): give at least one model")
        if tokenizer is None:
            raise ValueError(
                "tokenizer=None: no text can be read without one; give (model, tokenizer), the second of "
                "jaxgpt.tokenizers.build"
            )
        return cls(models, tokenizer)

    def decoder(self) -> Self:
        """Itself.

        Raises:
          ValueError: if its models do not predict each token from those before it.
        """
        kind = self.models[0].config.kind
        if kind != "decoder":
            raise ValueError(
                f"model.kind={kind}: this needs a decoder, which predicts each token from those before"
            )
        return self

    def encode(self, text: str, *, most: int | None = None) -> list[int]:
        """The tokens of a text as the model reads a prompt, the first token of all included.

        Raises:
          ValueError: if a character is outside of the vocabulary, or the model has no room for so many.
        """
        tokens = self.tokenizer.begun(self.tokenizer.encode_exactly(text))
        most = self.models[0].config.max_length if most is None else most
        if len(tokens) > most:
            raise ValueError(f"the prompt has {len(tokens)} tokens and the model reads {most}; shorten it")
        return tokens

    def token(self, text: str) -> int:
        """The id of the one token that a text is.

        Raises:
          ValueError: if it is none, or several.
        """
        found = self.tokenizer.encode_exactly(text)
        if len(found) != 1:
            raise ValueError(f"target={text!r} is {len(found)} tokens; give the text of a single one")
        return found[0]

    def shown(self, tokens: Sequence[int]) -> list[str]:
        """The text of each token; of one that is a part of a character, or special, its name."""
        return [self.tokenizer.token_texts()[token] for token in tokens]


def kept(source: Run | Path | str) -> Iterator[Subject]:
    """The models of a run at each step of which a checkpoint was kept, the first step first.

    Raises:
      ValueError: if fewer than two were kept; the message says what keeps more. For what is no run.
    """
    if not _is_run(source):
        raise ValueError("models with their tokenizer have no checkpoints; give a run or its directory")
    run = source if isinstance(source, Run) else runs.load(source)
    steps = _steps(run)
    if len(steps) < 2:
        raise ValueError(
            f"{run.directory.path} has a checkpoint of step {run.step} alone; to see how a model learns, "
            "train with --training.keep-spaced 20"
        )
    return (Subject.of(runs.load(run.directory.path, checkpoint=step)) for step in steps)


def _is_run(source: "Source | Subject") -> TypeGuard[Run | Path | str]:
    return isinstance(source, Run | Path | str)


def has_steps(run: Run) -> bool:
    """Whether checkpoints of several steps were kept."""
    return len(_steps(run)) > 1


def _steps(run: Run) -> list[int]:
    """Those of which a checkpoint was kept."""
    fingerprint = run.tokenizer.fingerprint
    return Checkpoints(run.directory.checkpoints, fingerprint=fingerprint, read_only=True).steps()


def steps_of(source: "Source | Subject") -> list[Subject]:
    """The models of a run at each kept step, the last one last; other models are those of a single step.

    Raises:
      ValueError: as `kept`.
    """
    return list(kept(source)) if _is_run(source) else [Subject.of(source)]


def spread(source: "Source | Subject", most: int) -> list[Subject]:
    """The models of a run at up to `most` of the steps that were kept, spread over them, the last one last.

    Where one step was kept, and of other models, it is that step alone.

    Raises:
      ValueError: if `most` is below 1.
    """
    if most < 1:
        raise ValueError(f"steps={most} must be at least 1")
    if not _is_run(source):
        return [Subject.of(source)]
    run = source if isinstance(source, Run) else runs.load(source)
    steps = _steps(run)
    if len(steps) < 2:
        return [Subject.of(run)]
    # From the last one down, so that one step alone is the last.
    places = {round(place) for place in np.linspace(len(steps) - 1, 0, min(most, len(steps)))}
    return [Subject.of(runs.load(run.directory.path, checkpoint=steps[place])) for place in sorted(places)]
