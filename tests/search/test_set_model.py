"""Models of sets: they write what they were shown, as often, and what was rewarded more often."""

import dataclasses

import numpy as np
import pytest
from tiny_search import CONFIG, PROBLEM, members

from jaxgpt import search
from jaxgpt.generation import decode_loop
from jaxgpt.search import reward_model
from jaxgpt.search.generation_step import _shares
from jaxgpt.search.set_model import BigramModel, TransformerModel, Written
from jaxgpt.search.set_tokens import BEGIN, END, PAD, SetTokens

pytestmark = pytest.mark.usefixtures("little_optimized")


@pytest.fixture(scope="module")
def taught():
    """A transformer that has seen three sets."""
    config = dataclasses.replace(CONFIG, train_steps=300, batch_size=32, keep=3)
    tokens = SetTokens(25, "elements", 10)
    model = TransformerModel(tokens, config)
    sets = np.zeros((3, 25), bool)
    for row, chosen in enumerate(([1, 7, 20], [2, 9, 11, 24], [0, 3])):
        sets[row, chosen] = True
    known, loss = model.learn({}, sets, np.array([0.5, 0.25, 0.25]), seed=3)
    return model, tokens, sets, known, loss


def test_a_transformer_writes_what_it_was_shown_as_often(taught):
    model, tokens, sets, known, loss = taught
    written, readable = tokens.read(model.write(known, [[]] * 512, 1.0, seed=5))
    assert loss < 1 and readable.mean() > 0.95
    shares = [(written == one).all(1).mean() for one in sets]
    assert np.allclose(shares, [0.5, 0.25, 0.25], atol=0.12)


def test_proposals_may_go_on_from_a_part(taught):
    model, tokens, _, known, _ = taught
    rows = model.write(known, [[3 + 2, 3 + 9]] * 64, 1.0, seed=5)
    assert (rows[:, :2] == [5, 12]).all()
    written, readable = tokens.read(rows)
    assert readable.any() and written[readable][:, [2, 9]].all()


def test_beginnings_of_any_length_are_compiled_ahead():
    """Kept sets grow, and with them what the model goes on from; compiling then would count as its time."""

    def compiled():
        return sum(part._cache_size() for part in (decode_loop.prefill, decode_loop.extend, decode_loop.grow))

    config, tokens = dataclasses.replace(CONFIG, given=0.9), SetTokens(100, "elements", 60)
    model = TransformerModel(tokens, config)
    sets = np.arange(100) < np.array([[6], [7]])
    model.prepare(sets, [[3, 4, 5]] * 16)
    known, _ = model.learn({}, sets, np.full(2, 0.5), seed=0)
    before = compiled()
    for length in (5, 15, 16, 31, 32, 54):  # 54 of 60 are given at most
        model.write(known, [[3] * length, *[[3]] * 15], 1.0, seed=length)
        assert compiled() == before, length


def test_weights_are_kept_between_generations(taught):
    model, _, sets, known, _ = taught
    _, again = model.learn(known, sets, np.full(3, 1 / 3), seed=4)
    _, anew = model.learn({}, sets, np.full(3, 1 / 3), seed=4)
    assert again < anew


def test_a_bigram_follows_the_shares_of_what_comes_next():
    tokens = SetTokens(4, "elements", 4)
    sets = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]], bool)
    model = BigramModel(tokens, CONFIG)
    known, _ = model.learn({}, sets, np.array([0.5, 0.3, 0.2]), seed=0)
    rows = model.write(known, [[]] * 4000, 1.0, seed=1)
    assert (rows[:, 0] == 3).all()
    shares = [(rows[:, 1] == token).mean() for token in (4, 5, 6)]
    assert np.allclose(shares, [0.5, 0.3, 0.2], atol=0.03)
    assert (rows[:, 2] == END).all() and set(rows[:, 3:].ravel().tolist()) <= {PAD}
    assert BEGIN not in rows


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_bigram_writes_at_a_temperature(temperature):
    """Probabilities are raised to its inverse, those of a pair that stands in several sets together."""
    tokens = SetTokens(4, "elements", 4)
    sets = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 0, 1]], bool)
    model = BigramModel(tokens, CONFIG)
    known, _ = model.learn({}, sets, np.array([0.3, 0.2, 0.3, 0.2]), seed=0)
    rows = model.write(known, [[]] * 4000, temperature, seed=1)
    assert (rows[:, 0] == 3).all() and BEGIN not in rows
    expected = np.array([0.5, 0.3, 0.2]) ** (1 / temperature)
    shares = [(rows[:, 1] == token).mean() for token in (4, 5, 6)]
    assert np.allclose(shares, expected / expected.sum(), atol=0.03)
    after = rows[rows[:, 1] == 4, 2]
    ends, goes_on = np.array([0.6, 0.4]) ** (1 / temperature)
    assert (after == END).mean() == pytest.approx(ends / (ends + goes_on), abs=0.04)


def test_a_cold_bigram_writes_what_is_likeliest():
    tokens = SetTokens(4, "elements", 4)
    sets = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], bool)
    model = BigramModel(tokens, CONFIG)
    known, _ = model.learn({}, sets, np.array([0.5, 0.3, 0.2]), seed=0)
    rows = model.write(known, [[]] * 100, 1e-4, seed=1)
    assert (rows[:, :3] == [3, 4, END]).all()


def test_weighted_feedback_shows_larger_sets_more_often():
    sets = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
    config = dataclasses.replace(CONFIG, feedback="weighted", sharpness=1.0)
    weight = np.exp([3.0, 2.0, 1.0])
    assert np.allclose(_shares(sets, config), weight / weight.sum())
    assert np.allclose(_shares(sets, CONFIG), 1 / 3)


def test_rewards_make_what_was_rewarded_more_likely_and_the_price_of_leaving_holds_it_back(taught):
    _, tokens, sets, known, _ = taught
    shares = {}
    for stay in (0.0, 100.0):
        config = dataclasses.replace(
            CONFIG, feedback="policy", stay=stay, policy_rate=3e-3, batch_size=32, states=256, keep=3
        )
        model = TransformerModel(tokens, config)
        now = known | {name.replace("weights/", "reference/"): value for name, value in known.items()}
        for turn in range(4):
            rows = model.write(now, [[]] * 256, 1.0, seed=turn)
            read, _ = tokens.read(rows)
            scores = (read == sets[2]).all(1).astype(float)  # the rarest but one
            now = model.rewarded(now, Written(rows, np.zeros(256, int), read), scores, turn)
        read, _ = tokens.read(model.write(now, [[]] * 256, 1.0, seed=99))
        shares[stay] = (read == sets[2]).all(1).mean()
    assert shares[0.0] > 0.6 and shares[100.0] < 0.45


def test_what_a_row_was_given_is_not_rewarded(taught):
    """A row of which all was given teaches nothing; one of which nothing was, something."""
    _, tokens, sets, known, _ = taught
    config = dataclasses.replace(CONFIG, feedback="policy", batch_size=2, states=2, keep=3)
    model = TransformerModel(tokens, config)
    now = known | {name.replace("weights/", "reference/"): value for name, value in known.items()}
    table = tokens.rows(sets[:2]).tokens[:, 1:]
    for given, changes in ((table.shape[1], False), (0, True)):
        written = Written(table, np.full(2, given), sets[:2])
        after = model.rewarded(now, written, np.array([0.0, 1.0]), 0)
        assert any(not np.array_equal(after[name], now[name]) for name in now) is changes


def test_a_reward_model_prefers_larger_sets():
    draw = np.random.default_rng(0)
    sets = draw.random((400, 25)) < 0.3
    learned = reward_model.fit({}, sets[:300], sets[:300].sum(1).astype(float), seed=0)
    values, sizes = reward_model.values(learned, sets[300:]), sets[300:].sum(1)
    first, second = np.triu_indices(100, 1)
    differ = sizes[first] != sizes[second]
    right = (values[first] > values[second]) == (sizes[first] > sizes[second])
    assert right[differ].mean() > 0.9


@pytest.mark.parametrize("reward", ["size", "pairs"])
def test_feedback_by_policy_gradient_learns_the_kept_sets_once(reward):
    config = dataclasses.replace(CONFIG, feedback="policy", reward=reward, generations=3)
    searched = search.search(PROBLEM, config, arms=["transformer"], say=lambda line: None)
    (stand,) = searched.stands["transformer"]
    assert [record.loss is None for record in stand.records] == [True, False, True, True]
    assert not any(PROBLEM.verify(one) for one in members(stand.sets))
    reference = {n: v for n, v in stand.known.items() if n.startswith("reference/")}
    moved = [
        not np.array_equal(value, stand.known[name.replace("reference/", "weights/")])
        for name, value in reference.items()
    ]
    assert any(moved) and (reward == "pairs") == ("reward/out" in stand.known)
