"""The models that a command is given by a directory: that of a run, or one of transformers."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jaxgpt.core.usage import UsageError

if TYPE_CHECKING:
    from jaxgpt.models.transformer import Transformer
    from jaxgpt.tokenizers.tokenizer import Tokenizer


class Opened(NamedTuple):
    """The models of a directory, in the order of `jaxgpt.lab.subject.Subject`.

    Attributes:
      models: one a seed; of transformers a single one.
      name: of the directory.
      step: that the weights are of; None where that is not known.
    """

    models: "tuple[Transformer, ...]"
    tokenizer: "Tokenizer"
    name: str
    step: int | None


def opened(place: str, checkpoint: str | int, *, dtype: str | None = None) -> Opened:
    """The models and the tokenizer of a run directory, or of a directory of transformers.

    Args:
      dtype: of a directory of transformers, as `load_hf` takes it; None: the files' own.

    Raises:
      ValueError: if it is neither, cannot be read, or has no tokenizer.
    """
    from jaxgpt.huggingface.load import load_hf
    from jaxgpt.runs.run import load
    from jaxgpt.runs.run_directory import RunDirectory

    folder = Path(place)
    if RunDirectory(folder).exists() or not (folder / "config.json").is_file():
        run = load(folder, checkpoint=checkpoint)
        return Opened((run.model, *run.models[1:]), run.tokenizer, run.directory.name, run.step)
    if checkpoint != "last":
        raise UsageError(f"--checkpoint {checkpoint}: {place} is a directory of transformers, which has one")
    found = load_hf(folder, dtype=dtype)
    if found.tokenizer is None:
        raise UsageError(
            f"{place} has no tokenizer; put its files there, or make a run with one: jaxgpt import-hf "
            "--tokenizer NAME"
        )
    return Opened((found.model,), found.tokenizer, folder.resolve().name, None)
