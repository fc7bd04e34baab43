"""Number encodings against numpy in double precision, and against what the papers define."""

import dataclasses
import math
import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.core.choice import FieldError
from jaxgpt.nn.number import NumberEncoding
from jaxgpt.nn.number.bittokens import BitTokens
from jaxgpt.nn.number.fone import FoNE
from jaxgpt.nn.number.xval import XVal

D = 16
ENCODINGS = {
    "xval": XVal(token_id=3, largest=2000.0, decimals=1),
    "fone": FoNE(token_id=3, places=5),
    "bittokens": BitTokens(token_id=3),
}
NUMBERS = [0, 7, 10, 305, 71421, 99999]


def features(name, number):
    if name == "xval":
        return [float(number)]
    if name == "fone":
        return [number // 10**i % 10 for i in range(5)]
    return np.unpackbits(np.frombuffer(struct.pack(">d", float(number)), np.uint8)).tolist()


def given(name):
    return jnp.asarray([features(name, n) for n in NUMBERS], ENCODINGS[name].dtype)


def params(name):
    """Every array random: zero biases hide mistakes."""
    rng = np.random.default_rng(0)
    tables = ENCODINGS[name].tables(d_model=D)
    return {key: jnp.asarray(rng.normal(0, 0.5, table.shape), jnp.float32) for key, table in tables.items()}


def test_the_encodings_are_found_by_name():
    assert {"xval", "fone", "bittokens"} == set(NumberEncoding.names())
    with pytest.raises(FieldError, match="no numberencoding is called 'xvall'"):
        NumberEncoding.named("xvall")


def test_xval_scales_one_vector():
    got = ENCODINGS["xval"].embed(params("xval"), given("xval"))
    u = np.asarray(params("xval")["table"])[0]
    expected = [5 * n / 2000 * u for n in NUMBERS]  # the largest number enters as 5
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_fone_is_cos_and_sin_of_every_period():
    """The paper's definition, phi(x, T) = (cos 2 pi x / T, sin 2 pi x / T) for T = 10, 100, ..."""
    table = np.asarray(params("fone")["table"], np.float64)
    for number, got in zip(NUMBERS, ENCODINGS["fone"].embed(params("fone"), given("fone")), strict=True):
        phi = []
        for i in range(5):
            angle = 2 * math.pi * number / 10 ** (i + 1)
            phi += [math.cos(angle), math.sin(angle)]
        np.testing.assert_allclose(got, np.asarray(phi) @ table, atol=1e-5)


def test_fone_reads_the_nearest_of_ten_points():
    """The angle of each digit is read off an arrow that points to it, of any length and a little off."""
    rng = np.random.default_rng(1)
    encoding = ENCODINGS["fone"]
    for number in NUMBERS:
        hidden = rng.normal(0, 1, D)
        for i, digit in enumerate(features("fone", number)):
            angle = 2 * math.pi * (digit + rng.uniform(-0.45, 0.45)) / 10
            hidden[2 * i : 2 * i + 2] = rng.uniform(0.1, 9) * np.asarray([math.cos(angle), math.sin(angle)])
        outputs = encoding.predict({}, jnp.asarray(hidden, jnp.float32))
        assert encoding.choose(outputs).tolist() == features("fone", number)


def test_fone_loss_is_the_probability_of_all_digits():
    encoding = ENCODINGS["fone"]
    hidden = np.random.default_rng(2).normal(0, 1, (len(NUMBERS), D))
    got = encoding.loss(encoding.predict({}, jnp.asarray(hidden, jnp.float32)), given("fone"))
    for n, number in enumerate(NUMBERS):
        total = 0.0
        for i, digit in enumerate(features("fone", number)):
            a, b = hidden[n, 2 * i : 2 * i + 2]
            logits = [
                a * math.cos(2 * math.pi * j / 10) + b * math.sin(2 * math.pi * j / 10) for j in range(10)
            ]
            total += math.log(sum(map(math.exp, logits))) - logits[digit]
        assert float(got[n]) == pytest.approx(total, rel=1e-5)


def test_fone_needs_two_dimensions_a_place():
    with pytest.raises(
        ValueError, match=r"9 places of a number take 2 dimensions each, more than d_model=16"
    ):
        dataclasses.replace(ENCODINGS["fone"], places=9).check(d_model=16)
    dataclasses.replace(ENCODINGS["fone"], places=8).check(d_model=16)


def test_bits_enter_as_signs_and_leave_as_logits():
    own, encoding = params("bittokens"), ENCODINGS["bittokens"]
    bits = np.asarray(given("bittokens"), np.float64)
    np.testing.assert_allclose(
        encoding.embed(own, given("bittokens")),
        (2 * bits - 1) @ np.asarray(own["table"], np.float64),
        atol=1e-4,
    )
    hidden = np.random.default_rng(3).normal(0, 1, (len(NUMBERS), D))
    outputs = encoding.predict(own, jnp.asarray(hidden, jnp.float32))
    logits = hidden @ np.asarray(own["head"], np.float64) + np.asarray(own["bias"], np.float64)
    np.testing.assert_allclose(outputs, logits, atol=1e-4)
    p = 1 / (1 + np.exp(-logits))
    expected = -(bits * np.log(p) + (1 - bits) * np.log(1 - p)).sum(axis=-1)
    np.testing.assert_allclose(encoding.loss(outputs, given("bittokens")), expected, rtol=1e-4)
    assert (np.asarray(encoding.choose(outputs)) == (p > 0.5)).all()


def test_xval_head_and_its_squared_error():
    own, encoding = params("xval"), ENCODINGS["xval"]
    hidden = np.random.default_rng(4).normal(0, 1, (len(NUMBERS), D))
    outputs = encoding.predict(own, jnp.asarray(hidden, jnp.float32))
    said = (hidden @ np.asarray(own["head"], np.float64))[:, 0] + float(own["bias"][0])
    np.testing.assert_allclose(outputs[:, 0], said, rtol=1e-4)
    errors = [(s - 5 * n / 2000) ** 2 for s, n in zip(said, NUMBERS, strict=True)]
    np.testing.assert_allclose(encoding.loss(outputs, given("xval")), errors, rtol=1e-4)
    # 0.123 of the scale is 49.2 of 2000; numbers are never negative.
    assert encoding.choose(jnp.asarray([[0.1231], [-2.0]])).tolist() == [[pytest.approx(49.2)], [0.0]]


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_sure_of_a_number_chooses_it(name):
    """Outputs that descend the loss of a number end up choosing its features."""
    encoding = ENCODINGS[name]
    wanted = given(name)
    outputs = jnp.zeros((len(NUMBERS), encoding.predict(params(name), jnp.zeros((1, D))).shape[-1]))
    slope = jax.jit(jax.grad(lambda o: encoding.loss(o, wanted).sum()))
    for _ in range(200):
        outputs -= 0.3 * slope(outputs)
    np.testing.assert_allclose(encoding.choose(outputs), wanted, rtol=1e-3)
    assert encoding.choose(outputs).dtype == encoding.dtype


@pytest.mark.parametrize("name", ENCODINGS)
def test_leading_dimensions_do_not_matter(name):
    encoding, own = ENCODINGS[name], params(name)
    stacked = given(name).reshape(2, 3, -1)
    flat = encoding.embed(own, given(name))
    np.testing.assert_allclose(encoding.embed(own, stacked).reshape(flat.shape), flat, rtol=1e-5)
    outputs = encoding.predict(own, flat)
    np.testing.assert_allclose(
        encoding.loss(outputs.reshape(2, 3, -1), stacked).reshape(-1),
        encoding.loss(outputs, given(name)),
        rtol=1e-5,
    )
    assert encoding.choose(outputs.reshape(2, 3, -1)).shape == (2, 3, encoding.size)
