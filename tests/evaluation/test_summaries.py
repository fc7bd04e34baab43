"""Measures of a whole set of answers: their intervals, the temperature of the answers, a task's picture."""

import dataclasses
import json
import math

import pytest
from flax import nnx
from variants import often

from jaxgpt.evaluation import tally
from jaxgpt.evaluation.evaluation import Evaluation
from jaxgpt.evaluation.intervals import bounded_mean, student_t, wilson
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.evaluation.scoring_options import Kept, TrainedOn
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.task import Example, Share, Task
from jaxgpt.tokenizers.characters import Characters
from tasks.arithmetic import Arithmetic
from tasks.gcd import Gcd
from tasks.pairs import Pairs
from tasks.text import Text
from tasks.translation import Translation


def test_a_share_has_an_interval_with_one_seed_and_keeps_its_unit():
    found = tally.combine([{"plain": 0.3, "valid": Share(0.75, 8), "found": Share(0.75, 8, per=1000)}])
    assert found["plain"].interval is None and found["plain"].mean == 0.3
    assert found["valid"].interval == pytest.approx(wilson(6, 8)) and found["valid"].per_seed == (0.75,)
    assert found["found"].interval == pytest.approx([1000 * end for end in wilson(6, 8)])
    assert found["found"].mean == 750


def test_shares_of_several_seeds_vary_over_the_seeds():
    found = tally.combine([{"valid": Share(v, 10)} for v in (0.5, 0.6, 0.9)])
    assert found["valid"].interval == bounded_mean([0.5, 0.6, 0.9])


def test_a_measure_stays_below_what_is_possible():
    one, far = [{"part": 0.99, "length": 0.99}, {"part": 0.4, "length": 0.4}], math.inf
    found = tally.combine(one, lambda name: 1.0 if name == "part" else far)
    assert found["part"].interval == student_t([0.99, 0.4], bounds=(0.0, 1.0)) == (0.0, 1.0)
    assert found["length"].interval == student_t([0.99, 0.4], bounds=(0.0, far)) and found["length"].mean < 1
    assert found["length"].interval[1] > 1  # nothing bounds it


@pytest.mark.parametrize(
    ("task", "name", "most"),
    [
        (Gcd(), "natural_accuracy", 1),
        (Gcd(), "gcds_correct", 100),
        (Gcd(max_outcome=7), "gcds_correct", 7),
        (Translation(), "BLEU", 100),
        (Translation(), "chrF, 1-3 words", 100),
        (Arithmetic(format="steps", max_digits=6), "first_wrong_step_2", 1),
        (Text(), "distinct_2", 1),
        (Text(), "copy_characters_max", math.inf),
        (Pairs(), "absolute_error", math.inf),
    ],
)
def test_tasks_know_the_largest_value_of_their_measures(task, name, most):
    assert task.summary_limit(name) == most


def test_an_evaluation_asks_the_task_for_it(task, tokenizer, build, oracle, monkeypatch):
    monkeypatch.setattr(type(task), "summary_limit", lambda self, name: 3.5 if name == "part" else 0.0)
    parts = iter((1.0, 3.0))
    monkeypatch.setattr(type(task), "summary", lambda self, samples, training: {"part": next(parts)})
    found = evaluate([build(seed) for seed in range(2)], tokenizer, task, n=10, trained_on=TrainedOn([]))
    assert found.summary["part"].per_seed == (1.0, 3.0) and found.summary["part"].interval == (0.0, 3.5)


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
