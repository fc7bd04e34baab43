"""The compiled step: chunks, seeds, dropout, accumulation, arithmetic, where the data lies."""

import jax
import numpy as np
import pytest
from program_steps import Ready, assert_same_state, steps
from tiny_runs import tiny
from variants import often

from jaxgpt.core import settings
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.training.prepare import prepare


@pytest.fixture(scope="module")
def ready():
    """The tiny experiment, compiled."""
    return Ready(tiny(training__chunk=20))


@pytest.fixture(scope="module")
def single(ready):
    """20 steps of the tiny experiment in one dispatch."""
    return ready.steps([20])


@pytest.mark.thorough
def test_training_lowers_the_loss(single):
    losses, norms, _ = single
    assert losses.shape == norms.shape == (20, 1)
    assert losses[0, 0] == pytest.approx(np.log(15), abs=0.1)  # nothing is known of 15 ids
    assert losses[-1, 0] < losses[0, 0] - 0.2
    assert (norms > 0).all()


@pytest.mark.parametrize("plan", often([[7, 13], [1] * 20, [19, 1]], ([7, 13],)))
def test_how_steps_are_cut_into_dispatches_changes_no_bit(ready, single, plan):
    losses, norms, state = ready.steps(plan)
    np.testing.assert_array_equal(losses, single[0])
    np.testing.assert_array_equal(norms, single[1])
    assert_same_state(state, single[2])


def test_seeds_at_once_are_single_runs(single):
    losses, norms, state = steps(tiny(training__chunk=20, seeds=2), [20])
    other = steps(tiny(training__chunk=20, training__seed=1), [20])
    assert losses.shape == (20, 2)
    assert np.abs(single[0] - other[0]).max() > 1e-3
    for replica, (its_losses, its_norms, its_state) in enumerate([single, other]):
        np.testing.assert_allclose(losses[:, replica], its_losses[:, 0], rtol=1e-5)
        np.testing.assert_allclose(norms[:, replica], its_norms[:, 0], rtol=1e-4)
        for name, value in its_state["params"].items():
            np.testing.assert_allclose(
                state["params"][name][replica], value, atol=2e-5, err_msg=f"{name} of seed {replica}"
            )


def test_accumulation_gives_the_same_update(single):
    losses, _, state = steps(tiny(training__chunk=20, training__accumulation=4), [20])
    np.testing.assert_allclose(losses, single[0], rtol=2e-6)
    for name, value in single[2]["params"].items():
        np.testing.assert_allclose(state["params"][name], value, atol=2e-5, err_msg=name)


@pytest.mark.thorough
def test_a_table_on_the_host_trains_to_the_same_bits(single):
    losses, norms, state = steps(tiny(training__chunk=20, training__on_device_mib=0), [7, 13])
    np.testing.assert_array_equal(losses, single[0])
    np.testing.assert_array_equal(norms, single[1])
    assert_same_state(state, single[2])


def test_the_first_weights_are_the_same_whatever_xla_is_told(ready, monkeypatch):
    monkeypatch.setenv(settings.SWITCH, "off")
    assert_same_state(ready.prepared.program.init(), ready.first)


def test_dropout_differs_by_step_and_seed(quick_compilation):
    # One example, equal weights, a learning rate of almost nothing: only dropout tells the losses apart.
    ready = Ready(
        tiny(
            seeds=2,
            model__dropout=0.3,
            training__train_examples=1,
            training__batch_size=1,
            optimizer__learning_rate=1e-30,
        )
    )
    params = jax.tree.map(lambda v: np.stack([v[0], v[0]]), ready.first["params"])
    losses, _, _ = ready.steps([3, 2], state=ready.first | {"params": params})
    assert len(set(losses.reshape(-1).tolist())) == 10


@pytest.mark.thorough
@pytest.mark.parametrize(
    "fields",
    [{"model__dtype": "bfloat16"}, pytest.param({"optimizer": "muon"}, marks=pytest.mark.thorough)],
    ids=["bfloat16", "muon"],
)
def test_it_trains(fields, quick_compilation):
    losses, _, state = steps(tiny(training__chunk=20, **fields), [20])
    assert losses[-3:].mean() < losses[:3].mean() - 0.2
    assert all(value.dtype == np.float32 for value in state["params"].values())


def test_validation_counts_every_row_once(ready):
    """13 rows in batches of 8: what pads the last piece has no weight."""
    prepared = prepare(tiny(training__eval_examples=13))
    program, state = prepared.program, ready.first
    loss = jax.jit(program.validation)(state, prepared.validation)
    rows = {name: value.astype(np.int32) for name, value in prepared.validation.items()}
    assert len(rows["tokens"]) == 13
    losses = jax.jit(lambda params: NextToken().losses(program.template.model(params), rows))(state["params"])
    weights = NextToken().weights(rows)
    assert float(loss[0]) == pytest.approx(float((losses * weights).sum() / weights.sum()), rel=1e-6)


def test_an_answer_marker_that_would_not_be_seen():
    decomposition = {"tokenizer": "bytes", "task__format": "decomposition", "model__max_length": 48}
    with pytest.raises(ValueError, match=r"\Amodel\.position=coupled: no prompt holds .* '='; [^\n]+\Z"):
        prepare(tiny(model__position="coupled", **decomposition))
    prepare(tiny(model__position="coupled", model__kind="encoder_decoder", **decomposition))
