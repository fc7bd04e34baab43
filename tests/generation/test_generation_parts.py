"""A batch in parts, as the cores of a CPU decode it, against the same in one."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from generation_models import BOS, DIGIT, EOS, EQUALS, PLUS, random_model
from variants import often

from jaxgpt.generation import Sampling, decode, generate, parts
from jaxgpt.generation import decode_loop as loop
from jaxgpt.generation.decode import Decoding
from jaxgpt.models.structure import split

#: Seven, so that no number of parts divides them.
PROMPTS = [[BOS, *range(DIGIT, DIGIT + length), PLUS, 4, EQUALS] for length in (1, 5, 2, 7, 3, 3, 6)]


def in_parts(monkeypatch, cores):
    monkeypatch.setattr(parts, "cores", lambda: cores)


@pytest.mark.thorough
@pytest.mark.parametrize("overflow", ["stop", "slide"])
@pytest.mark.parametrize("samples", often([1, 2], (2,)))
def test_they_are_the_whole(monkeypatch, overflow, samples):
    model = random_model()
    sampling = Sampling(temperature=1.0, repetition_penalty=1.2, num_samples=samples, seed=3)
    given = {"max_new_tokens": 100, "sampling": sampling, "overflow": overflow, "eos_id": EOS}
    in_parts(monkeypatch, 1)
    whole = generate(model, PROMPTS, **given)
    in_parts(monkeypatch, 3)
    assert Decoding(model, PROMPTS, max_new_tokens=5)._parts == 3
    np.testing.assert_array_equal(generate(model, PROMPTS, **given), whole)


@pytest.mark.thorough
def test_of_an_encoder_decoder(monkeypatch, encoder_decoder):
    sources = [[*row[1:-1], EOS] for row in PROMPTS]
    given = {"source": sources, "max_new_tokens": 80, "overflow": "slide"}
    in_parts(monkeypatch, 1)
    whole = generate(encoder_decoder, [[BOS]] * len(sources), **given)
    in_parts(monkeypatch, 3)
    np.testing.assert_array_equal(generate(encoder_decoder, [[BOS]] * len(sources), **given), whole)


@pytest.mark.thorough
@pytest.mark.parametrize("cores", [1, 3])
def test_a_row_that_is_ended_stays_so(monkeypatch, cores):
    in_parts(monkeypatch, cores)
    run = Decoding(random_model(), PROMPTS, max_new_tokens=40)
    run.advance(1)
    run.advance(8)
    run.end(5, 3)
    tokens = run.tokens.copy()
    run.finish()
    assert run.length.tolist() == [40] * 5 + [3, 40]
    np.testing.assert_array_equal(run.tokens[5], tokens[5])


@pytest.mark.thorough
@pytest.mark.parametrize("cores", often([1, 3], (1,)))
def test_a_row_that_is_ended_stays_so_while_others_slide(monkeypatch, cores):
    """Its prompt fills the window; what it has read must not grow after its end."""
    in_parts(monkeypatch, cores)
    given = {"max_new_tokens": 150, "overflow": "slide"}
    prompts = [[BOS, *[4, PLUS] * 40], *PROMPTS]
    free = generate(random_model(), prompts, **given)
    run = Decoding(random_model(), prompts, **given)
    for steps in (1, 8, 16):
        run.advance(steps)
    run.end(0, 4)
    run.finish()
    assert run.length.tolist() == [4, *[150] * len(PROMPTS)]
    np.testing.assert_array_equal(run.tokens[1:], free[1:])


@pytest.mark.thorough
def test_all_parts_run_one_program_whatever_the_thread_has_set(monkeypatch):
    in_parts(monkeypatch, 3)
    model = random_model(seed=1, num_layers=2)
    with jax.default_matmul_precision("highest"), jax.default_device(jax.devices()[0]):
        before = loop.extend._cache_size()
        generate(model, PROMPTS[:6], max_new_tokens=5)
        assert loop.extend._cache_size() == before + 1


def test_their_number(monkeypatch):
    _, weights = split(random_model())
    in_parts(monkeypatch, 4)
    assert [parts.count(prompts, weights) for prompts in (1, 2, 3, 4, 7, 8, 9, 100)] == [
        *(1, 1, 1, 2, 3, 4, 3, 4)
    ]
    large = np.zeros(1 << 15, np.float32)
    assert parts.count(100, [*weights, *[large] * 1023]) == 4
    assert parts.count(100, [*weights, *[large] * 1024]) == 1
    spread = SimpleNamespace(sharding=SimpleNamespace(device_set={0, 1}), nbytes=4)
    assert parts.count(100, (*weights, spread)) == 1
    monkeypatch.setattr(parts, "on_cpu", lambda: False)
    assert parts.count(100, weights) == 1


def test_what_goes_wrong_in_a_part_is_raised(monkeypatch):
    in_parts(monkeypatch, 3)

    def fails(*_):
        raise RuntimeError("no memory is left")

    run = Decoding(random_model(), PROMPTS, max_new_tokens=5)
    monkeypatch.setattr(decode.loop, "extend", fails)
    with pytest.raises(RuntimeError, match="no memory is left"):
        run.finish()
