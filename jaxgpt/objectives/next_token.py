"""Next-token prediction (Radford et al. 2018; Bengio et al. 2003): the objective of GPT."""

import dataclasses
from typing import Annotated, Literal

from jaxgpt.data.positions import hidden_marker
from jaxgpt.data.rows import build_rows
from jaxgpt.data.splits import Tables, naming, text_tables, to_multiple
from jaxgpt.objectives.written import Written

#: Training examples whose prompts are searched for the answer's marker.
_LOOKED_AT = 2000


@dataclasses.dataclass(frozen=True)
class NextToken(Written):
    """Each token is predicted from those before it.

    Questions are rows of `bos prompt target eos`; an encoder-decoder reads `prompt eos` and writes `bos
    target eos`. A text is read in windows, of which every token carries loss.
    """

    tokens: Annotated[
        Literal["answer", "all"], "of a row that carry loss: the answer's, or the question's too"
    ] = "answer"

    def scored_from(self, start):
        return start if self.tokens == "answer" else 1

    def check(self, model, task):
        super().check(model, task)
        if task.layout == "stream" and model.kind == "encoder_decoder":
            raise ValueError(
                f"task={type(task).kind()} is a text: an encoder-decoder restores it, so set "
                "objective=denoising; or model.kind=decoder, which goes on with it"
            )

    def tables(self, splits):
        if splits.task.layout == "stream":
            return text_tables(splits)
        model, tokenizer = splits.model, splits.tokenizer

        def rows(examples):
            table = build_rows(
                examples,
                tokenizer,
                encoder_decoder=model.kind == "encoder_decoder",
                max_length=model.max_length,
            )
            return to_multiple(table, splits.multiple, tokenizer.pad_id, extra=1, most=model.max_length)

        with naming("train"):
            train = rows(splits.train)
        with naming("validation"):
            validation = rows(splits.validation).arrays()
        prompts = [example.prompt for example in splits.train[:_LOOKED_AT]]
        if model.kind == "decoder" and (lost := hidden_marker(model.position, tokenizer, prompts)):
            kind = type(model.position).kind()
            raise ValueError(f"model.position={kind}: {lost}; or use --model.position rotary")
        return Tables(train, validation)

    def longest_example(self, model):
        if model.kind == "encoder_decoder":
            return "a" * (model.max_length - 1), ("a" * (model.max_length - 1),)
        text = model.max_length - 1
        return "a" * (text // 2), ("a" * (text - text // 2),)
