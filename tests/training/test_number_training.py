"""Training with numbers that are one token, and with the number token loss."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from program_steps import steps
from tiny_runs import losses, tiny
from variants import often

from jaxgpt.data.rows import build_rows
from jaxgpt.models.token_features import Features
from jaxgpt.objectives.batches import gather
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.runs.run import load
from jaxgpt.runs.session import train
from jaxgpt.task import Example
from jaxgpt.tokenizers import build
from jaxgpt.training.prepare import prepare

PLAIN = {"task__format": "plain", "task__max_digits": 2}


@pytest.mark.thorough
@pytest.mark.parametrize("spec", often(["xval", "fone:4", "bittokens"], ("xval",)))
def test_a_batch_costs_its_tokens_and_its_numbers(spec):
    """Each row by itself, in double precision: cross-entropy, and beside a number its own loss."""
    prepared = prepare(tiny(tokenizer=spec, **PLAIN))
    net = prepared.program.template.model(prepared.program.init()["params"])
    encoding, table = net.config.number, prepared.table
    batch = gather({n: jnp.asarray(v) for n, v in table.arrays().items()}, jnp.arange(4), 0)
    got, weights = nnx.jit(NextToken().losses)(net, batch), NextToken().weights(batch)
    out = nnx.jit(lambda net, tokens, numbers: net(tokens, features=Features(numbers=numbers)))(
        net, batch["tokens"][:, :-1], batch["numbers"][:, :-1]
    )
    seen = 0
    for row in range(4):
        ids = table.ids(row)
        assert prepared.tokenizer.decode(ids) == prepared.examples[row].prompt + prepared.examples[row].target
        for place in range(int(table.start[row]), len(ids)):
            logits = np.asarray(out.logits[row, place - 1], np.float64)
            expected = np.log(np.exp(logits).sum()) - logits[ids[place]]
            if ids[place] == encoding.token_id:
                own = jnp.asarray(list(ids[place].features), encoding.dtype)
                expected += float(encoding.loss(out.numbers[row, place - 1], own))
                seen += 1
            assert float(got[row, place - 1]) == pytest.approx(expected, rel=1e-4)
        assert weights[row].sum() == len(ids) - table.start[row]
    assert seen == 4


def test_rows_hold_the_features_of_their_numbers():
    tokenizer = build("fone:3", lambda: ["12+7=19"])
    examples = [Example("12+7=", "19"), Example("1+100=", "101"), Example("=", "")]
    rows = build_rows(examples, tokenizer, encoder_decoder=True, max_length=8)
    assert rows.source_numbers.shape == (*rows.source.shape, 3) and rows.numbers.dtype == np.uint8
    for i, example in enumerate(examples):
        assert tokenizer.decode(rows.source_ids(i)) == example.prompt
        assert tokenizer.decode(rows.ids(i)) == example.target
    assert not rows.numbers[rows.tokens != tokenizer.number_id].any()


@pytest.mark.thorough
def test_seeds_at_once_are_single_runs():
    fields = PLAIN | {"tokenizer": "fone:4", "training__chunk": 8}
    both, _, state = steps(tiny(**fields, seeds=2), [8])
    one, _, its = steps(tiny(**fields, training__seed=1), [8])
    np.testing.assert_allclose(both[:, 1], one[:, 0], rtol=1e-5)
    for name, value in its["params"].items():
        np.testing.assert_allclose(state["params"][name][1], value, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.thorough
def test_a_run_goes_on_answers_and_is_evaluated(tmp_path):
    fields = PLAIN | {"tokenizer": "bittokens", "training__save_every": 10, "training__test_examples": 20}
    said = []
    train(tiny(**fields), tmp_path / "whole", say=said.append)
    text = "\n".join(said)
    assert "first loss" in text and "=[" in text and "test questions" in text and "bits per byte" in text
    shutil.copytree(tmp_path / "whole", tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "checkpoints" / "20")
    train(tiny(**fields), tmp_path / "half", resume=True, say=lambda line: None)
    assert losses(tmp_path / "half") == losses(tmp_path / "whole")  # to the last bit
    run = load(tmp_path / "whole")
    (answer,) = run.generate("3+4")
    assert answer == load(tmp_path / "half").generate(["3+4"])[0]


@pytest.mark.thorough
def test_xval_has_no_likelihood(tmp_path):
    said = []
    train(
        tiny(tokenizer="xval", training__steps=2, training__test_examples=20, **PLAIN),
        tmp_path,
        say=said.append,
    )
    assert "test questions" in "\n".join(said) and "bits per byte" not in "\n".join(said)


def test_leading_zeros_are_found_before_training():
    with pytest.raises(
        ValueError, match=r"would come back as .*; write it without leading zeros \(task\.format=plain\)"
    ):
        prepare(tiny(tokenizer="fone:4", task__max_digits=2))


@pytest.mark.thorough
def test_the_number_token_loss_is_a_term_of_training_alone():
    fields = {"training__steps": 2, "training__chunk": 2}
    plain, _, state = steps(tiny(**fields), [2])
    weighed, _, other = steps(
        tiny(**fields, objective__number_loss="wasserstein", objective__number_loss_weight=2.0), [2]
    )
    # Of ten digits an untrained model is off by 3 on average.
    assert weighed[0, 0] - plain[0, 0] > 2
    assert any((state["params"][name] != other["params"][name]).any() for name in state["params"])


def test_the_number_token_loss_needs_number_tokens():
    with pytest.raises(ValueError, match=r"objective\.number_loss=mse needs tokens that are digits"):
        prepare(tiny(tokenizer="fone:4", objective__number_loss="mse", **PLAIN))
    with pytest.raises(ValueError, match=r"number_loss_weight=-1\.0 must be at least 0"):
        tiny(objective__number_loss_weight=-1.0)
