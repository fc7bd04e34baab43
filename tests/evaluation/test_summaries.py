"""Measures of a whole set of answers: their intervals, the temperature of the answers, a task's picture."""

import dataclasses
import json
import math

import pytest
from flax import nnx
from variants import often

from jaxgpt.evaluation import tally
from jaxgpt.evaluation.evaluation import Evaluation
from jaxgpt.evaluation.intervals import bounded_mean, wilson
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.evaluation.scoring_options import Kept, TrainedOn
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.task import Example, Share, Task
from jaxgpt.tokenizers.characters import Characters


def test_a_share_has_an_interval_with_one_seed_and_keeps_its_unit():
    found = tally.combine([{"plain": 0.3, "valid": Share(0.75, 8), "found": Share(0.75, 8, per=1000)}])
    assert found["plain"].interval is None and found["plain"].mean == 0.3
    assert found["valid"].interval == pytest.approx(wilson(6, 8)) and found["valid"].per_seed == (0.75,)
    assert found["found"].interval == pytest.approx([1000 * end for end in wilson(6, 8)])
    assert found["found"].mean == 750


def test_shares_of_several_seeds_vary_over_the_seeds():
    found = tally.combine([{"valid": Share(v, 10)} for v in (0.5, 0.6, 0.9)])
    assert found["valid"].interval == bounded_mean([0.5, 0.6, 0.9])


def test_a_share_of_nothing_is_no_value():
    found = tally.combine([{"novel": Share(1.0, 5)}, {"novel": Share(0.0, 0)}, {"novel": Share(0.5, 8)}, {}])
    estimate = found["novel"]
    assert estimate.mean == 0.75 and estimate.interval == bounded_mean([1.0, 0.5])
    assert [math.isnan(value) for value in estimate.per_seed] == [False, True, False, True]
    nothing = tally.combine([{"novel": Share(0.0, 0)}])["novel"]
    assert math.isnan(nothing.mean) and nothing.interval is None
    evaluation = Evaluation("test", 4, None, summary=found | {"nothing": nothing})
    assert json.loads(json.dumps(evaluation.to_json()))["summary"]["novel"]["per_seed"] == [
        1.0,
        None,
        0.5,
        None,
    ]
    assert "nothing" in evaluation.table() and "no value" in evaluation.table()


@dataclasses.dataclass(frozen=True)
class FromNothing(Task):
    """Letters from an empty prompt."""

    warm: bool = True

    @property
    def temperature(self):
        return 1.0 if self.warm else 0.0

    def example(self, rng):
        letters = "".join(rng.choice("abcdefgh") for _ in range(6))
        return Example("", letters, key=letters)

    def summary(self, samples, training):
        return {"different": len({text for _, text in samples})}

    def picture(self, samples, path):
        path.write_text(str(len(samples)))
        return True


@pytest.mark.thorough
@pytest.mark.parametrize("warm", often([True, False], (False,)))
def test_questions_without_a_prompt_are_answered_at_the_temperature_of_the_task(tmp_path, warm):
    tokenizer = Characters("abcdefgh")
    config = ModelConfig(num_layers=1, d_model=8, num_heads=1, max_length=24)
    model = Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    path = tmp_path / "answers.png"
    result = evaluate(
        [model], tokenizer, FromNothing(warm=warm), n=20, trained_on=TrainedOn([]), kept=Kept(gallery=path)
    )
    assert result.n == 20 and path.read_text() == "20"
    different = result.summary["different"].mean
    assert different > 10 if warm else different == 1
