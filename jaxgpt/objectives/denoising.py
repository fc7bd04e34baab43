"""Denoising: an encoder-decoder restores texts (Lewis et al. 2020, arXiv 1910.13461; Raffel et al. 2020)."""

import dataclasses
from typing import Annotated, ClassVar

from jaxgpt.data.noised import build_noised
from jaxgpt.data.splits import Tables, from_all_over, naming
from jaxgpt.noise import Noise
from jaxgpt.noise.bart import Bart
from jaxgpt.objectives.written import Written


@dataclasses.dataclass(frozen=True)
class Denoising(Written):
    """The encoder reads a text that `noise` has spoiled; the decoder writes what was there.

    The validation loss measures it: there are no questions to answer.
    """

    noise: Annotated[Noise, "what is taken out of texts"] = dataclasses.field(default_factory=Bart)
    copies: Annotated[int, "times that each text is spoiled, each time in another way"] = 4

    asks: ClassVar[bool] = False

    def __post_init__(self):
        super().__post_init__()
        if self.copies < 1:
            raise ValueError(f"copies={self.copies} must be at least 1")

    @property
    def marks(self):
        return self.noise.count

    def scored_from(self, start):
        return 1

    def check(self, model, task):
        if task.layout != "stream" or model.kind != "encoder_decoder":
            raise ValueError("objective=denoising is for texts, which model.kind=encoder_decoder restores")
        if (files := task.token_files()) is not None:
            raise ValueError(f"objective=denoising needs texts, and {files} holds tokens; use the task text")
        super().check(model, task)

    def tables(self, splits):
        def rows(examples):
            return build_noised(
                examples,
                splits.tokenizer,
                self.noise,
                max_length=splits.model.max_length,
                copies=self.copies,
                seed=splits.seed,
            )

        with naming("train"):
            train = rows(splits.train)
        with naming("validation"):
            arrays = rows(splits.validation).arrays()
        validation = {name: from_all_over(value, splits.validation_rows) for name, value in arrays.items()}
        return Tables(train, validation)
