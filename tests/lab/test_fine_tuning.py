"""Training on another text, and losses at kept steps, against the losses of the models by themselves."""

import csv
import dataclasses

import numpy as np
import pytest
from lab_models import made_up, text_experiment

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab import FineTuning, LossCurve, LossMatrix, fine_tune, kept, loss_curve, loss_matrix
from jaxgpt.lab.fine_tunings import FineTunings
from jaxgpt.lab.text_loss import TextLoss
from jaxgpt.runs.session import train
from jaxgpt.tokenizers import build, saved
from jaxgpt.training.prepare import prepare

SEA, HILL = made_up("sea salt sail tide gull", 80), made_up("hill oak path goat moss", 80)
UNSEEN = {"sea": made_up("sea salt sail tide gull", 30, 1), "hill": made_up("hill oak path goat moss", 30, 1)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "sea.txt").write_text(SEA)
    (folder / "hill.txt").write_text(HILL)
    saved.save(build("characters", lambda: [SEA + HILL]), folder / "alphabet.json")
    return folder


def experiment(folder, name, **more):
    values = {"tokenizer": str(folder / "alphabet.json"), "seeds": "2"}
    return text_experiment(folder / f"{name}.txt", **values | more)


@pytest.fixture(scope="module")
def run(folder):
    train(experiment(folder, "sea"), folder / "run", say=lambda line: None)
    return folder / "run"


def test_a_loss_curve_is_the_loss_of_each_kept_step(run, tmp_path):
    found = loss_curve(run, {"held out": UNSEEN["sea"], "hill": UNSEEN["hill"]})
    assert found.steps == (1, 3, 12)
    for place, subject in enumerate(kept(run)):
        alone = loss_matrix({"sea": subject}, UNSEEN)
        assert found.nats[0][place].per_seed == pytest.approx(alone.nats[0][0].per_seed)
        assert found.losses[1][place].bits_a_byte.mean == pytest.approx(alone.bits_a_byte[0][1].mean)
    assert found.nats[0][-1].mean < found.nats[0][0].mean
    assert f"{found.nats[0][-1].mean:.3f} at step 12" in found.summary()
    found.to_csv(tmp_path / "curve.csv")
    read = list(csv.DictReader((tmp_path / "curve.csv").read_text().splitlines()))
    assert len(read) == 6 and float(read[2]["nats a character"]) == found.nats[0][2].mean
    (axes,) = found.plot().axes
    assert [line.get_label() for line in axes.lines] == ["held out", "hill"]


def test_fine_tuning_begins_where_the_models_stand_and_fresh_weights_beside_them(run, folder):
    other = experiment(folder, "hill", **{"training.steps": "8"})
    found = fine_tune(
        run, other, learned=("sea", UNSEEN["sea"]), trained_on=("hill", UNSEEN["hill"]), looks=(0, 3, 8, 99)
    )
    assert found.steps == (0, 3, 8)
    before = loss_matrix({"sea": run}, UNSEEN).nats[0]
    assert found.forgotten[0].nats.per_seed == pytest.approx(before[0].per_seed, rel=1e-5)
    assert found.gained[0].nats.per_seed == pytest.approx(before[1].per_seed, rel=1e-5)
    # Fresh weights give what a trainer of the same experiment has.
    trainer = jaxgpt.Trainer(other)
    tokenizer = build(str(folder / "alphabet.json"), list)
    for place, step in enumerate(found.steps):
        trainer.step(step - trainer.steps_done)
        alone = loss_matrix({"new": (trainer.models, tokenizer)}, {"hill": UNSEEN["hill"]}).nats[0][0]
        assert found.scratch[place].nats.per_seed == pytest.approx(alone.per_seed, rel=1e-5)
    assert found.gained[-1].nats.mean < found.gained[0].nats.mean
    assert found.forgotten[-1].nats.mean > found.forgotten[0].nats.mean
    assert len(list(found.rows()[1])) == 9
    assert len(found.plot().axes[0].lines) == 3


@pytest.mark.parametrize("about", [5, 20])
def test_fine_tuning_ends_where_its_epochs_end(run, folder, about):
    """Whatever training.steps says, which epochs stand in place of."""
    other = experiment(folder, "hill")

    def trained_for(epochs):
        changed = dataclasses.replace(other, training=dataclasses.replace(other.training, epochs=epochs))
        return changed, prepare(changed).resolved.steps

    of_epochs, end = trained_for(100 * about / trained_for(100.0)[1])
    assert abs(end - about) <= 1 and other.training.steps == 12
    names = {"learned": ("sea", UNSEEN["sea"]), "trained_on": ("hill", UNSEEN["hill"])}
    found = fine_tune(run, of_epochs, **names, looks=(0, end, end + 1))
    assert found.steps == (0, end) and len(found.scratch) == len(found.forgotten) == 2
    assert found.gained[1] != found.gained[0]


def test_models_are_counted_that_end_below_fresh_weights():
    def row(*nats):
        return tuple(TextLoss(*[Estimate(n, None, (n,))] * 2, 0.0) for n in nats)

    # From the given models, and from fresh weights, on the new text.
    losses = [((3.0, 1.0), (2.5, 1.5)), ((2.0, 1.25), (3.0, 1.5)), ((3.5, 1.75), (3.0, 1.5))]
    each = [FineTuning("sea", 5, "hill", (0, 20), row(*g), row(*s), row(1.0, 2.0)) for g, s in losses]
    assert FineTunings(tuple(each)).summary() == (
        "After 20 steps on another text, 2 of 3 trained models predict it better than fresh weights do."
    )


def test_names_are_drawn_as_they_stand(tmp_path):
    """Two dollars begin no formula, which may be a bad one, and a legend has a name that begins with `_`."""
    names = ("_seen", r"in $\R$")
    high, low = (TextLoss(Estimate(n, None, (n,)), Estimate(n, None, (n,)), 0.0) for n in (2.0, 1.0))
    nats, row = ((high.nats, low.nats), (low.nats, high.nats)), (high, low)
    curve, further = (
        LossCurve((1, 3), names, (row, row)),
        FineTuning(names[0], 5, names[1], (0, 3), row, row, row),
    )
    parts = {"curve": curve, "further": further, "all": FineTunings((further,))}
    for name, part in (parts | {"matrix": LossMatrix(names, names, nats, nats, np.zeros((2, 2)))}).items():
        plots.save(part.plot(), tmp_path / f"{name}.svg")
        drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert r"in $\R$" in drawn and "_seen" in drawn
    assert len(curve.plot().axes[0].get_legend().get_texts()) == 2
    assert len(further.plot().axes[0].get_legend().get_texts()) == 3


def test_what_does_not_fit_is_refused_in_one_line(run, folder):
    names = {"learned": ("sea", UNSEEN["sea"]), "trained_on": ("hill", UNSEEN["hill"])}
    with pytest.raises(ValueError, match="2 models for seeds=1"):
        fine_tune(run, experiment(folder, "hill", seeds="1"), **names)
    with pytest.raises(ValueError, match="looks="):
        fine_tune(run, experiment(folder, "hill"), **names, looks=(99,))
    with pytest.raises(ValueError, match="texts="):
        loss_curve(run, {})
    with pytest.raises(ValueError, match="'held out': the text has 4 tokens"):
        loss_curve(run, {"held out": "seas"})
    wide = fields.override(experiment(folder, "hill"), {"model.d-model": "32"})
    with pytest.raises(ValueError, match="do not fit"):
        fine_tune(run, wide, **names)
