"""What a training costs, by size and device."""

import csv

import pytest

from jaxgpt.lecture.rows import training_cost as row
from jaxgpt.lecture.training_costs import RUNS, Device, Training, TrainingCosts, _dollars


@pytest.fixture(scope="module")
def part():
    """The first size alone: counting GPT-2 XL takes seconds."""
    size = "110 million"
    return TrainingCosts.of({size: row._TRAININGS[size]}, row._DEVICES)


@pytest.mark.thorough
def test_the_work_is_six_operations_a_weight_and_token_and_attention_on_top():
    part = row.TrainingCost().parts({}, {})["dollars"]
    # Weights without embeddings, layers and width of the three: Devlin et al. 2019; Radford et al. 2019.
    for name, weights, layers, width, vocabulary in (
        ("110 million", 85.1e6, 12, 768, 30_522),
        ("340 million", 302e6, 24, 1024, 30_522),
        ("1.5 billion", 1475e6, 48, 1600, 50_257),
    ):
        tokens = 1e6 * 256 * 512
        expected = 6 * (weights + width * vocabulary) * tokens + 12 * layers * width * 512 * tokens
        for cost in part.found[name].values():
            assert cost.operations == pytest.approx(expected, rel=0.01), name


def test_dollars_are_device_hours_at_a_price(part, tmp_path):
    v2, h200 = part.found["110 million"].values()
    assert v2.dollars == pytest.approx(v2.operations / (0.4 * 23e12) / 3600 * 0.5625)
    assert h200.dollars == pytest.approx(h200.operations / (0.4 * 989.4e12) / 3600 * 2.5)
    part.to_csv(tmp_path / "dollars.csv")
    rows = list(csv.DictReader((tmp_path / "dollars.csv").read_text().splitlines()))
    assert len(rows) == 2 and float(rows[0]["dollars of twenty runs"]) == pytest.approx(RUNS * v2.dollars)


def test_the_table_puts_them_beside_what_was_published(part):
    first = [entry.text for entry in part.table().rows[0]]
    assert first[:2] == ["110 million", "$2.5k to $50k"]
    assert first[2] == "$1.58k to $31.5k" and first[3] == "$163 to $3.25k"
    assert "110 million $1.58k, published from $2.5k" in part.summary()


def test_a_model_of_ones_own():
    values = {"model.num_layers": "2", "training.steps": "10"}
    part = TrainingCosts.of({"tiny": Training(values, 50, 1, 2)}, {"an A100": Device("a100-40:1", 1.0)})
    assert part.found["tiny"]["an A100"].dollars < 0.01 and len(part.plot().axes) == 1


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [(0.004, "$0.00"), (9.99, "$9.99"), (163.4, "$163"), (999.6, "$1k"), (999_600, "$1m"), (2e9, "$2000m")],
)
def test_dollars_have_three_digits(dollars, shown):
    assert _dollars(dollars) == shown
