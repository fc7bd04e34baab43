"""Masked language modelling: an encoder says what hidden tokens were (Devlin et al. 2019)."""

import dataclasses
from typing import Annotated, ClassVar, Literal

from jaxgpt import generation
from jaxgpt.data.rows import build_rows
from jaxgpt.data.splits import Tables, naming, text_tables, to_multiple
from jaxgpt.objectives import masking
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.losses import check_head, hidden_losses, token_losses


@dataclasses.dataclass(frozen=True)
class Masked(Objective):
    """Some tokens of a row are hidden, and predicted from all others at once (arXiv 1810.04805, section 3.1).

    Asked a question, the model has to be told how many tokens the answer has.
    """

    tokens: Annotated[
        Literal["answer", "random"], "that are hidden: all of the answer, or a share of the whole row"
    ] = "answer"
    share: Annotated[float, "of a row that tokens=random hides"] = masking.SHARE

    ends_answers: ClassVar[bool] = False
    takes_sampling: ClassVar[bool] = False

    def __post_init__(self):
        masking.check_share(self.share)

    def scored_from(self, start):
        return start if self.tokens == "answer" else 1

    @property
    def loss_note(self):
        return "" if self.tokens == "answer" else f" {masking.hidden_note(self.share)}"

    def check(self, model, task):
        if model.kind != "encoder":
            raise ValueError(
                f"objective=masked hides tokens of an encoder, not of model.kind={model.kind}; set that to "
                "encoder"
            )
        check_head(model)
        if task.layout == "stream" and self.tokens == "answer":
            raise ValueError("a text has no answer that could be hidden; set objective.tokens=random")

    def tables(self, splits):
        masking.check_mask(splits.model)
        if splits.task.layout == "stream":
            return text_tables(splits)
        model, tokenizer = splits.model, splits.tokenizer

        def rows(examples):
            # The last token of a row is read, too.
            most = model.max_length - 1
            table = build_rows(examples, tokenizer, encoder_decoder=False, max_length=most)
            return to_multiple(table, splits.multiple, tokenizer.pad_id, extra=0, most=model.max_length)

        with naming("train"):
            train = rows(splits.train)
        with naming("validation"):
            return Tables(train, rows(splits.validation).arrays())

    def draw(self, batch, model, key):
        if self.tokens == "answer":
            return masking.hide_answers(model, batch)
        return masking.hide_some(model, batch, key, share=self.share)

    def weights(self, batch):
        """1 for every token that was hidden. [B, T]"""
        return batch["carries"]

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """The loss of every token, of which `weights` tells the hidden ones. [B, T]"""
        hidden = model(batch["tokens"], order=batch["order"], key=key, logits_of="none").hidden
        return hidden_losses(model, hidden, batch["targets"], loss=loss, most_logits=most_logits)

    def longest_example(self, model):
        text = model.max_length - 2
        return "a" * (text // 2), ("a" * (text - text // 2),)

    def reads(self, example, tokenizer, model):
        prompt, target = tokenizer.encode(example.prompt), tokenizer.encode_exactly(example.target)
        return [("encoder", [*tokenizer.begun(prompt), *target, tokenizer.eos_id])]

    def predict(self, model, tokenizer, prompts, asking):
        if asking.targets is not None:
            counts = [len(tokenizer.encode(target)) for target in asking.targets]
        elif asking.max_new_tokens is not None:
            if asking.max_new_tokens < 1:
                raise ValueError(f"max_new_tokens={asking.max_new_tokens} must be at least 1")
            counts = [asking.max_new_tokens] * len(prompts)
        else:
            raise ValueError(
                "an encoder fills in tokens, and has to know how many: give --max-new-tokens, such as 3"
            )
        asked = list(zip(prompts, counts, strict=True))
        return [[text] for text in generation.fill(model, tokenizer, asked, progress=asking.progress)]
