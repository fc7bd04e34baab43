"""The cost of a training: the slide's three sizes, computed again."""

import dataclasses

from jaxgpt.lecture.row import Row
from jaxgpt.lecture.training_costs import Device, Training, TrainingCosts

_STEPS = {"training.steps": "1000000", "training.batch_size": "256"}
_MASKED = {"objective": "masked", "objective.tokens": "random"} | _STEPS
_LONG = {"model.max_length": "512"} | _STEPS
_TRAININGS = {
    "110 million": Training({"model": "bert-base"} | _MASKED, 30_522, 2.5e3, 5e4),
    "340 million": Training({"model": "bert-large"} | _MASKED, 30_522, 1e4, 2e5),
    "1.5 billion": Training({"model": "gpt2-xl"} | _LONG, None, 8e4, 1.6e6),
}
#: Google's list price of 2020 for eight cores of a v2, and that of an H200 in 2026.
_DEVICES = {"TPU v2, $4.50 an hour for 8": Device("v2:4x4", 0.5625), "H200, $2.50": Device("h200:8", 2.5)}


@dataclasses.dataclass(frozen=True)
class TrainingCost(Row):
    """Dollars of one run and of twenty for models of three sizes.

    Sharir, Peleg and Shoham 2020, The Cost of Training NLP Models, arXiv 2004.08900.
    """

    place = 13
    title = "What a training costs"
    claim = (
        "Training a model of 110 million weights costs 2,500 to 50,000 dollars, one of 1.5 billion up to 1.6 "
        "million: once on Wikipedia and books, or with all runs until it is published (Sharir et al. 2020). "
        "Here the operations of a million steps of 256 rows of 512 tokens, BERT's recipe, are counted, and "
        "0.4 of a device's peak is assumed."
    )

    def parts(self, runs, files):
        return {"dollars": TrainingCosts.of(_TRAININGS, _DEVICES)}
