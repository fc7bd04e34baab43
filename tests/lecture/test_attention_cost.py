"""What attention costs by length."""

import pytest

from jaxgpt.lecture.attention_cost import cost, exponent, layers


def test_the_exponent_is_the_power():
    assert exponent([10, 100, 1000], [3e2, 3e4, 3e6]) == pytest.approx(2)
    assert exponent([10, 100, 1000], [5, 5, 5]) == pytest.approx(0)


@pytest.mark.thorough
def test_twice_the_length_takes_four_times_the_memory_of_full_attention_and_twice_that_of_the_others():
    found = {name: [cost(config, n, 0).mib for n in (2048, 4096)] for name, config in layers(4096).items()}
    growth = {name: long / short for name, (short, long) in found.items()}
    assert 3.5 < growth.pop("full") < 4.1
    assert all(1.8 < each < 2.2 for each in growth.values()), growth
    assert all(mib[-1] < found["full"][-1] / 2 for name, mib in found.items() if name != "full")


def test_time_is_measured_as_often_as_asked():
    assert len(cost(layers(64)["full"], 64, 3).seconds) == 3
