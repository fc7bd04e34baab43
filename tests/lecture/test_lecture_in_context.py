"""The row of examples in the prompt: what it reads of evaluations."""

import types

import pytest

from jaxgpt.evaluation.evaluation import Row as Found
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lecture.rows.in_context import InContext
from jaxgpt.models.config import ModelConfig


def finished(arm, number):
    """A stand-in for the run of an arm, whose two seeds are right in `number` / 100 and more."""
    width = int(arm.name.split()[-1])
    config = ModelConfig(vocab_size=9, d_model=width, num_heads=1, num_layers=1)
    groups = []
    for group, more in (("0 shots", 0.0), ("1 shot", 0.1), ("16 shots", 0.3), ("2 shots", 0.2)):
        seeds = (number / 100 + more, number / 100 + more + 0.05)
        scores = {
            "best possible": Estimate(0.5 + more, None, (0.5 + more,) * 2),
            "by looking up": Estimate(0.1 + more, None, (0.1 + more,) * 2),
        }
        groups.append(Found(group, Estimate(sum(seeds) / 2, None, seeds), 7, scores=scores))
    evaluation = types.SimpleNamespace(groups=tuple(groups), headings=(), overall=None)
    model = types.SimpleNamespace(config=config)
    return types.SimpleNamespace(evaluation=evaluation, model=model)


def test_its_curves_go_along_the_examples_shown():
    row = InContext()
    arms = row.arms({})
    parts = row.parts({arm.name: finished(arm, number) for number, arm in enumerate(arms)}, {})
    assert list(parts) == ["maps", "words"]
    for rules, part in parts.items():
        assert part.places == (0, 1, 2, 16)
        assert part.references["best possible"] == pytest.approx((0.5, 0.6, 0.7, 0.8))
        assert part.references["by looking up"] == pytest.approx((0.1, 0.2, 0.3, 0.4))
        numbers = [number for number, arm in enumerate(arms) if arm.name.startswith(rules)]
        for number, values in zip(numbers, part.values.values(), strict=True):
            assert values[3] == pytest.approx((number / 100 + 0.3, number / 100 + 0.35))
    assert [name.partition(";")[0] for name in parts["maps"].values] == ["width 16", "width 32", "width 64"]
