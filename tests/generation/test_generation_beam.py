"""Beam search against enumeration of all sequences, and against a slow search without a cache."""

import itertools

import numpy as np
import pytest
from generation_models import (
    BOS,
    DIGIT,
    EOS,
    EQUALS,
    PLUS,
    POSITIONS,
    always,
    favour,
    naive_for,
    random_model,
)

from jaxgpt.generation import beam_search, generate
from jaxgpt.nn.position.abacus import Abacus

V = 17


def log_softmax(logits):
    logits = logits.astype(np.float64) - logits.max()
    return logits - np.log(np.exp(logits).sum())


def four_ids(**fields):
    """A model of which only the first four ids are within reach."""
    return favour(*[(token, -1000.0) for token in range(4, V)], **fields)


def scored(naive, prompt, tokens, alpha, source=None):
    total = sum(
        log_softmax(naive.logits([*prompt, *tokens[:i]], source))[token] for i, token in enumerate(tokens)
    )
    return total / ((5 + len(tokens)) / 6) ** alpha


def enumerated(naive, prompt, size, longest, alpha, source=None):
    """All sequences that end with eos, or without one at the greatest length, best first."""
    others = [i for i in range(size) if i != EOS]
    found = [(*body, EOS) for n in range(longest) for body in itertools.product(others, repeat=n)] + list(
        itertools.product(others, repeat=longest)
    )
    return sorted(((scored(naive, prompt, t, alpha, source), t) for t in found), reverse=True)


def naive_beam(naive, prompt, width, longest, alpha, ends=(EOS,), source=None):
    """The search as the docstring of `beam_search` puts it, without a cache and without stopping early."""
    alive, ended = [(0.0, ())], []
    for step in range(longest):
        candidates = [
            (total + p, (*tokens, token))
            for total, tokens in alive
            for token, p in enumerate(log_softmax(naive.logits([*prompt, *tokens], source)))
        ]
        candidates.sort(reverse=True)
        ended += [
            (total / ((5 + len(t)) / 6) ** alpha, t)
            for total, t in candidates[:width]
            if t[-1] in ends or step + 1 == longest
        ]
        alive = [(total, t) for total, t in candidates if t[-1] not in ends][:width]
    return sorted(ended, reverse=True)[:width]


def hypotheses(found, row):
    """(score, tokens) of one prompt."""
    parts = zip(found.scores[row], found.tokens[row].tolist(), found.lengths[row], strict=True)
    return [(score, tuple(tokens[:length])) for score, tokens, length in parts if np.isfinite(score)]


def agree(got, expected):
    assert [tokens for _, tokens in got] == [tokens for _, tokens in expected]
    np.testing.assert_allclose([s for s, _ in got], [s for s, _ in expected], atol=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_a_wide_beam_finds_the_best_of_all_sequences(alpha):
    model = four_ids()
    naive = naive_for(model, 8)
    expected = enumerated(naive, [BOS, 4], 4, 3, alpha)
    found = beam_search(model, [[BOS, 4]], width=64, max_new_tokens=3, eos_id=EOS, length_penalty=alpha)
    got = [pair for pair in hypotheses(found, 0) if pair[0] > -500]
    assert len(got) == len(expected) == 1 + 3 + 9 + 27
    agree(got, expected)


@pytest.mark.thorough
def test_a_wide_beam_is_exact_for_an_encoder_decoder():
    model = four_ids(kind="encoder_decoder", position=POSITIONS["rotary"])
    naive = naive_for(model, 8)
    source = [5, 6, EOS]
    expected = enumerated(naive, [BOS], 4, 3, 1.0, source)
    arguments = {"max_new_tokens": 3, "eos_id": EOS, "length_penalty": 1.0}
    found = beam_search(model, [[BOS]] * 2, source=[[4], source], width=40, **arguments)
    agree(hypotheses(found, 1)[:20], expected[:20])


@pytest.mark.parametrize(
    ("width", "alpha", "ends"),
    [
        (1, 0.0, EOS),
        (3, 0.0, EOS),
        (3, 1.0, EOS),
        pytest.param(3, 1.0, [EOS, DIGIT + 1, PLUS], marks=pytest.mark.thorough),
        pytest.param(2, 0.0, np.arange(3, 9), marks=pytest.mark.thorough),
    ],
)
def test_search_is_the_slow_search(width, alpha, ends):
    model = favour((EOS, 1.0))
    any_of = {ends} if ends is EOS else {*map(int, ends)}
    naive = naive_for(model, 16)
    prompts = [[BOS, 4, 5, EQUALS], [BOS], [BOS, 9, 9]]
    found = beam_search(model, prompts, width=width, max_new_tokens=8, eos_id=ends, length_penalty=alpha)
    for row, prompt in enumerate(prompts):
        expected = naive_beam(naive, prompt, width, 8, alpha, any_of)
        agree(hypotheses(found, row), expected)
        for score, tokens in expected:
            np.testing.assert_allclose(score, scored(naive, prompt, tokens, alpha), atol=1e-6)
    lengths = found.lengths[np.isfinite(found.scores)]
    assert lengths.min() < 8, "some hypothesis must end with eos"


@pytest.mark.thorough
def test_width_1_is_greedy():
    model = random_model(layers="scanned", num_layers=2)
    prompts = [[BOS, 4, 5, EQUALS], [BOS], [BOS, 9, 9]]
    free = generate(model, prompts, max_new_tokens=20)
    for eos in (None, int(free[0, 4])):
        greedy = generate(model, prompts, max_new_tokens=20, eos_id=eos, pad_id=-1)
        found = beam_search(model, prompts, width=1, max_new_tokens=20, eos_id=eos, pad_id=-1)
        np.testing.assert_array_equal(found.tokens[:, 0], greedy)


@pytest.mark.thorough
def test_rows_do_not_depend_on_the_batch():
    decoder = favour((EOS, 1.0))
    prompts = [[BOS, 4, 5, EQUALS], [BOS], [BOS, *range(3, 13)]]
    together = beam_search(decoder, prompts, width=3, max_new_tokens=10, eos_id=EOS, length_penalty=0.5)
    for row, prompt in enumerate(prompts):
        alone = beam_search(decoder, [prompt], width=3, max_new_tokens=10, eos_id=EOS, length_penalty=0.5)
        np.testing.assert_array_equal(alone.tokens[0], together.tokens[row])


@pytest.mark.thorough
def test_hypotheses_with_numbers_too_long_are_dropped():
    abacus = Abacus(max_position=4, max_offset=1)
    model = favour((DIGIT, 100.0), (PLUS, 90.0), position=abacus)
    found = beam_search(model, [[BOS]], width=3, max_new_tokens=8, eos_id=EOS)
    for _, tokens in hypotheses(found, 0):
        # The fourth digit may be said; what would come after it has no place.
        assert (DIGIT,) * 4 not in [tokens[i : i + 4] for i in range(4)]
    with pytest.raises(ValueError, match=r"reaches position 6, which position.max_position=4"):
        beam_search(model, [[BOS, *[DIGIT] * 6]], width=3, max_new_tokens=8)
    with pytest.raises(ValueError, match=r"no hypothesis of prompt 0 fits position.max_position=4"):
        beam_search(always(DIGIT, position=abacus), [[BOS]], width=1, max_new_tokens=8, eos_id=EOS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width=0 must be at least 1"),
        ({"length_penalty": -0.5}, "length_penalty=-0.5 must be at least 0"),
        ({"max_new_tokens": 64}, "exceed model.max_length=64"),
    ],
)
def test_errors(decoder, arguments, message):
    with pytest.raises(ValueError, match=message):
        beam_search(decoder, [[BOS]], **{"width": 2, "max_new_tokens": 4} | arguments)


def test_no_prompts(decoder):
    assert beam_search(decoder, [], width=2, max_new_tokens=4).tokens.shape == (0, 2, 4)
