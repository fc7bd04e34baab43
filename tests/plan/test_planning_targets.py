"""Names of targets, and what is said where something is missing."""

import sys

import pytest
from planned import plan
from tiny_runs import one_line

from jaxgpt.plan import targets
from jaxgpt.plan.gpus import GPUS


@pytest.mark.parametrize(
    ("name", "count"),
    [("v5e:16x16", 256), ("v4:2x2x4", 16), ("tpu7x:2x2x1", 8), ("h200:4x8", 32), ("h100:8", 8), ("cpu:3", 3)],
)
def test_a_target_has_so_many_devices(name, count):
    target = targets.parse(name)
    assert target.name == name and target.count == count
    assert 2**30 < target.memory < 200 * 2**30


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v5:2x2", "did you mean v5"),
        ("gpu:8", "known: a100-40, a100-80, b200, cpu, h100, h200, tpu7x, v2, v3, v4, v5e, v5p, v6e, as in"),
        ("h200", "give the number of devices, such as h200:4x8"),
        ("h200:", "give the number of devices"),
        ("cpu:0", "give the number of devices"),
        ("cpu:2x4", "one number of devices"),
        ("v5e:256", "a v5e slice has 2 dimensions, such as v5e:4x4"),
        ("v4:4x4", "a v4 slice has 3 dimensions"),
        ("h100:2x2x2", "hosts x GPUs of a host"),
    ],
)
def test_what_is_no_target_is_told_in_one_line(jaxgpt, name, message):
    status, _, errors = jaxgpt("plan", "addition", "--target", name)
    assert status == 2 and message in one_line(errors)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name an experiment"),
        (["addition"], "name the devices to plan for: --target"),
        (["adition", "--target", "cpu:8"], "did you mean addition"),
        (["addition", "--target", "cpu:8", "--model.depth", "3"], "no field 'model.depth'"),
        (["addition", "--target", "cpu:8", "--memory", "much"], "--memory much: a positive number"),
        (["addition", "--target", "cpu:8", "--timeout", "0"], "--timeout 0: a positive number"),
        (["addition", "--target", "cpu:8", "--candidates", "-1"], "a whole number of at least 0"),
        (["addition", "--target", "cpu:8", "--output", "no/such/plan.json"], "does not exist"),
    ],
)
def test_mistakes_end_in_one_line(jaxgpt, words, message):
    status, _, errors = jaxgpt("plan", *words)
    assert status == 2 and message in one_line(errors)


@pytest.mark.parametrize("target", ["v5e:2x2", "h200:8"])
def test_a_missing_compiler_is_told_with_the_way_to_get_it(jaxgpt, monkeypatch, target):
    monkeypatch.setattr(targets, "_found", lambda module: False)
    status, _, errors = jaxgpt("plan", "addition", "--target", target)
    message = one_line(errors)
    assert status == 2 and "pip install 'jaxgpt[plan]'" in message and "cpu:8" in message
    assert ("Python 3.12 or later" in message) == (sys.version_info < (3, 12))


def test_without_files_of_tokens_there_are_as_many_ids_as_gpt_2_has(tmp_path):
    found, output = plan(tmp_path, "h200:8", "tokens", candidates=0)
    assert found["vocab_size"] == 50_257
    assert "50,257 ids (those of GPT-2, since no tokenizer is named; --vocab sets another number)" in output


def test_help(jaxgpt):
    status, output, _ = jaxgpt("plan", "--help")
    assert status == 0 and all(f"--{name}" in output for name in ("target", "output", "vocab", "timeout"))


def test_a_gpu_is_had_in_part_as_jax_takes_it(monkeypatch):
    whole = GPUS["h100"].gib * 2**30
    assert targets.parse("h100:1").memory == int(0.75 * whole)
    monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.9")
    assert targets.parse("h100:1").memory == int(0.9 * whole)
    monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "ninety")
    with pytest.raises(ValueError, match="between 0 and 1"):
        _ = targets.parse("h100:1").memory
