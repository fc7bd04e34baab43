"""The objective of a model that no run tells of."""

from jaxgpt.data.labelled import CHOICE, SPAN
from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.masked import Masked
from jaxgpt.objectives.multiple_choice import MultipleChoice
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.objectives.span import Span


def inferred(model: ModelConfig) -> Objective:
    """What a model answers by, told by its heads and stacks."""
    if model.label_names:
        return {SPAN: Span(), CHOICE: MultipleChoice()}.get(model.label_names, Labels())
    return Masked() if model.kind == "encoder" else NextToken()
