"""Updates skipped as spikes: nothing changes, each is counted, and a run that goes on counts alike."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from program_steps import Ready, assert_same_state
from tiny_runs import copied, losses, records, tiny
from variants import often

from jaxgpt.runs.session import train
from jaxgpt.training.spikes import MOST_IN_A_ROW, Spikes, without_spike


def quiet(line):
    """Says nothing."""


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(["adamw", "muon"], ("adamw",)))
def test_a_skipped_update_changes_no_bit(name, quick_compilation):
    ready = Ready(tiny(optimizer=name, training__skip_spikes=1e-6))
    state = ready.steps([5])[2]
    assert_same_state(state, ready.first)  # weights, moments and the count of the schedule


@pytest.mark.parametrize(
    ("norm", "loss", "skips"),
    [(1.0, 1.0, False), (1.1, 1.0, True), (np.nan, 1.0, True), (np.inf, 1.0, True), (0.5, np.nan, True)],
)
def test_the_rule(norm, loss, skips):
    old, new = {"a": jnp.zeros(2)}, {"a": jnp.full(2, np.nan if skips else 3.0)}
    state, skipped = without_spike(old, new, norm=jnp.array(norm), loss=jnp.array(loss), largest=1.0)
    assert bool(skipped) == skips
    np.testing.assert_array_equal(state["a"], old["a"] if skips else new["a"])


@pytest.mark.thorough
def test_each_replica_skips_for_itself(quick_compilation):
    norms = Ready(tiny(seeds=2)).steps([1])[1][0]
    ready = Ready(tiny(seeds=2, training__skip_spikes=float(norms.mean())))
    state = ready.steps([1])[2]
    for replica in range(2):
        same = [
            np.array_equal(a[replica], b[replica])
            for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(ready.first), strict=True)
        ]
        assert all(same) if norms[replica] > norms.mean() else not any(same)


def test_a_dispatch_is_counted_step_by_step():
    counter = Spikes(2, {"total": [3, 0], "in_a_row": [MOST_IN_A_ROW - 2, 0]})
    totals, stuck = counter.count(np.array([[True, False], [False, True], [True, True]]))
    assert totals.tolist() == [[4, 0], [4, 1], [5, 2]] and stuck is None
    assert counter.note() == {"total": [5, 2], "in_a_row": [1, 2]}
    _, stuck = counter.count(np.ones((MOST_IN_A_ROW, 2), bool))
    assert stuck == (MOST_IN_A_ROW - 3, 1)
    assert Spikes(2).note() is None


@pytest.fixture(scope="module")
def skipping(tmp_path_factory):
    """A run of 20 steps that skipped some updates, with checkpoints of steps 15 and 20."""
    path = tmp_path_factory.mktemp("runs") / "skipping"
    largest = 2.5  # the norms of the first steps lie around it
    lines = []
    train(tiny(training__save_every=5, training__skip_spikes=largest), path, say=lines.append)
    return path, largest, lines


def test_updates_skipped_in_a_row_are_counted_on_after_a_checkpoint():
    before = Spikes(1)
    assert before.count(np.ones((MOST_IN_A_ROW - 1, 1), bool))[1] is None
    after = Spikes(1, before.note())
    totals, stuck = after.count(np.ones((1, 1), bool))
    assert totals.tolist() == [[MOST_IN_A_ROW]] and stuck == (0, 0)


@pytest.mark.thorough
def test_skipped_updates_are_counted(skipping, finished_run):
    path, largest, lines = skipping
    total, rate = 0, tiny().optimizer.rate(20)
    for record in (r for r in records(path) if "loss" in r):
        # The schedule stands still where an update was skipped.
        assert record["learning_rate"] == pytest.approx(float(rate(record["step"] - 1 - total)))
        total += record["grad_norm"] > largest
        assert record["skipped"] == total
    assert 0 < total < 20
    assert json.loads((path / "outcome.json").read_text())["skipped"] == [total]
    assert any(f"{total} skipped" in line for line in lines)
    assert any(f"{total} updates were skipped" in line for line in lines)
    assert "skipped" not in (finished_run / "metrics.jsonl").read_text()


@pytest.mark.thorough
def test_a_run_that_goes_on_skips_and_counts_alike(skipping, tmp_path):
    path, largest, _ = skipping
    copy = copied(path, tmp_path / "run")
    shutil.rmtree(copy / "checkpoints" / "20")
    train(tiny(training__save_every=5, training__skip_spikes=largest), copy, resume=True, say=quiet)
    for record, again in zip(records(path), records(copy), strict=True):
        assert again == record | {n: again[n] for n in ("seconds", "tokens_per_second") if n in again}
    total = next(r["skipped"] for r in records(path) if r["step"] == 20 and "loss" in r)
    assert json.loads((copy / "outcome.json").read_text())["skipped"] == [total]


@pytest.mark.thorough
@pytest.mark.parametrize("largest", ["1e9", "none"])
def test_it_may_be_turned_on_and_off_while_a_run_goes_on(skipping, finished_run, tmp_path, largest):
    begun = finished_run if largest != "none" else skipping[0]
    copy = copied(begun, tmp_path / "run")
    shutil.rmtree(copy / "checkpoints" / "20")
    train(tiny(training__save_every=5, training__skip_spikes=largest), copy, resume=True, say=quiet)
    assert sorted(losses(copy)) == list(range(1, 21))
    before = next(r for r in records(begun) if r["step"] == 15 and "loss" in r).get("skipped", 0)
    assert json.loads((copy / "outcome.json").read_text())["skipped"] == [before]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("fields", "step"),
    [
        pytest.param({"training__skip_spikes": 1e-9}, MOST_IN_A_ROW, marks=pytest.mark.thorough),
        (  # the first update spoils the weights: whatever comes is not finite
            {
                "training__skip_spikes": 1e9,
                "optimizer__learning_rate": "1e30",
                "optimizer__warmup_steps": 0,
                "optimizer__clip_norm": "none",
            },
            MOST_IN_A_ROW + 1,
        ),
    ],
)
def test_too_many_in_a_row_end_the_run(tmp_path, fields, step, quick_compilation):
    where = rf"\A{MOST_IN_A_ROW} updates in a row were skipped, [^\n]* step {step} \(seed 0[^\n]*skip_spikes="
    with pytest.raises(RuntimeError, match=where) as error:
        train(tiny(**fields), tmp_path / "run", say=quiet)
    assert "\n" not in str(error.value) and "no checkpoint was written" in str(error.value)
    assert not list((tmp_path / "run" / "checkpoints").glob("[0-9]*"))


@pytest.mark.parametrize("largest", ["0", "-1", "nan", "inf"])
def test_a_threshold_that_is_none(largest):
    with pytest.raises(ValueError, match=r"training\.skip_spikes=[^\n]*must be positive and finite, or none"):
        tiny(training__skip_spikes=largest)


@pytest.mark.parametrize("noted", [[], {}, {"total": [1]}, {"total": ["x"] * 2, "in_a_row": [0, 0]}])
def test_a_note_that_is_none(noted):
    with pytest.raises(ValueError, match="the checkpoint's count of skipped updates"):
        Spikes(2, noted)
