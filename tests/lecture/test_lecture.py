"""`jaxgpt lecture`: rows are trained, shown, and read again."""

import csv
import dataclasses
import functools
import math
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiny_runs import one_line

from jaxgpt import lecture
from jaxgpt.cli import lecture as lecture_command
from jaxgpt.evaluation.intervals import paired, student_t
from jaxgpt.lecture import Arm, ArmCurves, ArmTable, Row, make, making, place_losses, reached
from jaxgpt.lecture.arm import SHORTER
from jaxgpt.lecture.arm_table import POINTS
from jaxgpt.lecture.equal_cost import at_equal_cost, step_flops
from jaxgpt.lecture.making import trained
from jaxgpt.lecture.place_losses import context_curves, losses_by_place
from jaxgpt.lecture.rows.attention import Attention
from jaxgpt.lecture.rows.frozen_features import FrozenFeatures
from jaxgpt.lecture.rows.hashed_attention import HashedAttention
from jaxgpt.lecture.rows.in_context import InContext
from jaxgpt.lecture.rows.pretraining_ablation import PretrainingAblation
from jaxgpt.lecture.rows.pretraining_tasks import PretrainingTasks
from jaxgpt.lecture.rows.recurrent import Recurrent
from jaxgpt.lecture.rows.zero_shot_sizes import ZeroShotSizes
from jaxgpt.lecture.softmax_scale import measured, softmax_of_products
from jaxgpt.objectives.losses import token_losses
from jaxgpt.runs.run import load

#: A model of 16 characters at once.
pytestmark = pytest.mark.usefixtures("quick_compilation")
SMALL = {
    "training.steps": "6",
    "training.sample_every": "0",
    "training.batch_size": "2",
    "training.eval_every": "0",
    "training.test_examples": "5",
    "model.num_layers": "1",
    "model.d_model": "16",
    "model.num_heads": "2",
    "model.max_length": "16",
}
ONE, TWO = "one layer", "two layers"


@dataclasses.dataclass(frozen=True)
class Depths(Row):
    """A row of the smallest models."""

    title = "Depths"
    claim = "Deeper is better."
    files = ("text",)

    def arms(self, files):
        base = SMALL | {"task.path": files["text"]}
        return Arm(ONE, "text", base), Arm(TWO, "text", base | {"model.num_layers": "2"})

    def parts(self, runs, files):
        values = {name: reached.bits_a_byte(run) for name, run in runs.items()}
        return {"loss": ArmTable("bits a byte", values, ONE), "places": context_curves(runs, "character")}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 4)) for _ in range(50)]
    lines = [" ".join(rng.choice(words, 8)) for _ in range(200)]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def made(text, tmp_path_factory):
    """Where the row was made, the call that makes it again, and what was said."""
    folder, said = tmp_path_factory.mktemp("lecture"), []
    again = functools.partial(make, [Depths()], {"text": str(text)}, folder, seeds=2, say=said.append)
    jax.config.update("jax_disable_most_optimizations", True)
    again()
    jax.config.update("jax_disable_most_optimizations", False)
    return folder, again, said


def own_folder(folder):
    (found,) = [path for path in folder.iterdir() if (path / "one-layer").is_dir()]
    return found


def test_a_row_is_trained_once_and_read_again(made):
    folder, again, said = made
    own = own_folder(folder)
    assert sum("trained 6 steps" in line for line in said) == 2
    assert "<svg" in (folder / "report.html").read_text() and (own / "places.png").stat().st_size > 1000
    rows = list(csv.DictReader((own / "loss.csv").read_text().splitlines()))
    assert [row["arm"] for row in rows] == [ONE, TWO]
    expected = load(own / "two-layers").evaluation.likelihood["held_out"].bits_per_byte.per_seed
    assert rows[1]["each seed"] == " ".join(map(repr, expected)) and len(expected) == 2
    assert "| one layer |" in (own / "loss.md").read_text()
    said.clear()
    assert again() == folder / "report.html" and not any("trained" in line for line in said)
    assert list(csv.DictReader((own / "loss.csv").read_text().splitlines())) == rows


def test_losses_by_place_are_those_of_the_model_that_reads_the_text(made):
    run = load(own_folder(made[0]) / "one-layer")
    found = losses_by_place(run)
    text = "".join(example.target for example in run.task.examples("test"))
    ids, length = run.tokenizer.encode(text), run.model.config.max_length
    rows = jnp.asarray([ids[at : at + length + 1] for at in range(0, len(ids) - length, length)])
    losses = token_losses(run.models[1](rows[:, :-1]).logits, rows[:, 1:])
    assert found.shape == (2, length)
    np.testing.assert_allclose(found[1], losses.mean(axis=0) / np.log(2), rtol=2e-4)


def test_shorter_windows_begin_anew_in_pieces_of_equal_length(monkeypatch):
    monkeypatch.setattr(place_losses, "losses_by_place", lambda run: np.asarray(run, float))
    runs = {"short": [[1, 3, 5], [2, 2, 8]], "long": [[1, 2, 3, 6], [0, 4, 8, 8]]}
    found = context_curves(runs, "character", most=2)
    assert found.places == (1, 3) and found.measure == "bits a character"
    # The short windows go on as 1 3 5 1 and 2 2 8 2.
    assert found.values["short"] == ((2.0, 2.0), (3.0, 5.0))
    assert found.values["long"] == ((1.5, 2.0), (4.5, 8.0))


def test_scaled_products_keep_their_entropy_whatever_the_width():
    entropy, _ = softmax_of_products((1, 256), seeds=2)
    scaled, plain = entropy.values["scaled by 1/sqrt(d_k)"], entropy.values["not scaled"]
    assert scaled[0] == plain[0] and len(scaled[0]) == 2
    # Of 64 scores from N(0, 1) about log2(64) - 0.5 / log(2), of 64 from N(0, 256) what the largest leave.
    np.testing.assert_allclose(scaled[1], 5.3, atol=0.15)
    assert max(plain[1]) < 1.5


def test_the_gradient_of_softmax_is_its_jacobian():
    scores = jax.random.normal(jax.random.key(0), (5, 7)) * 3
    entropy, norm = measured(scores)
    jacobians = jax.vmap(jax.jacobian(jax.nn.softmax))(scores)
    np.testing.assert_allclose(norm, np.linalg.norm(jacobians, axis=(1, 2)).mean(), rtol=1e-5)
    p = np.asarray(jax.nn.softmax(scores), np.float64)
    np.testing.assert_allclose(entropy, -(p * np.log2(p)).sum(-1).mean(), rtol=1e-5)


def test_a_table_says_which_differences_are_sure():
    base = (3.0, 3.1, 2.9, 3.0, 3.2, 3.1)
    lower = tuple(value - 0.1 * (1 + place) for place, value in enumerate(base))
    table = ArmTable("loss", {"a": base, "b": lower}, baseline="a", better="less", published={"b": "2.5"})
    assert table.estimate("b").interval == student_t(lower) and table.difference("b") == paired(lower, base)
    row = table.table().rows[1]
    assert row[2].sure == "better" and row[2].text == "-0.350" and row[3].text == "2.5"
    assert "no interval" not in table.table().caption
    few = ArmTable("loss", {"a": base[:4], "b": lower[:4]}, baseline="a")
    assert few.table().rows[1][2].detail == "" and "Fewer than six seeds" in few.table().caption
    one = ArmTable("loss", {"a": (1.0,), "b": (2.0,)}, baseline="a")
    assert one.estimate("a").interval is None and one.table().caption == "One seed."


def test_no_interval_leaves_what_is_possible():
    far = {"a": (1.0, 99.0)}
    assert ArmTable("perplexity", far).estimate("a").interval == student_t(far["a"], bounds=(0.0, math.inf))
    assert ArmTable("perplexity", far).estimate("a").interval[0] == 0.0
    assert ArmTable("BLEU", far, bounds=POINTS).estimate("a").interval == (0.0, 100.0)
    curves = ArmCurves("length", (1, 2), "BLEU", {"a": (far["a"], (40.0, 41.0))}, bounds=POINTS)
    first, second = curves.estimates("a")
    assert first.interval == (0.0, 100.0) and second.interval == student_t((40.0, 41.0))
    assert ArmCurves("place", (1,), "bits", {"a": (far["a"],)}).estimates("a")[0].interval[0] == 0.0


def test_curves_keep_shares_within_their_range():
    curves = ArmCurves("shots", (0, 1), "right", {"small": ((0.0, 0.0, 0.1), (0.9, 1.0, 1.0))}, unit="share")
    low, high = curves.estimates("small")[1].interval
    assert 0 <= low < high <= 1
    header, rows = curves.rows()
    assert header[1] == "shots" and [row[1] for row in rows] == [0, 1]
    assert curves.table().rows[0][1].text == "3.3" and len(curves.blocks()) == 2
    long = ArmCurves("place", tuple(range(13)), "bits", {"one": ((1.0, 2.0),) * 13})
    assert len(long.blocks()) == 1


def test_arms_begin_from_the_arm_they_name_and_are_called_as_files_can_be():
    arm = Arm("GRU, with attention", "text", {"training.steps": "50"})
    assert arm.folder == "gru-with-attention"
    assert arm.training({"seeds": "2"}, quick=False).training.steps == 50
    short = arm.training({}, quick=True).training
    assert (short.steps, short.test_examples) == (20, 50)


def test_an_arm_at_equal_cost_takes_as_many_operations(text):
    base = SMALL | {
        "task.path": str(text),
        "training.steps": "1000",
        "model": "makemore_bigram",
        "model.max_length": "16",
    }
    arms = [
        Arm(
            name,
            "text",
            base | {"model.d_model": width, "training.batch_size": size},
        )
        for name, width, size in (("narrow", "8", "4"), ("wide", "24", "5"))
    ]
    narrow, wide = (arm.training({}, quick=False) for arm in arms)
    # A bigram has no blocks: 6 D V operations a token (the head's weights, forwards and backwards).
    vocabulary = len(set(text.read_text())) + 3
    assert step_flops(narrow) == 6 * 8 * vocabulary * 16 * 4
    assert at_equal_cost(wide, narrow).training.steps == round(1000 * (8 * 4) / (24 * 5))
    assert at_equal_cost(wide, wide) == wide


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "ROW nothing: known: "),
        (("shared-layers",), "shared-layers reads a file: --text FILE"),
        (("shared-layers", "--text", "x.txt", "--seeds", "0"), "--seeds 0: a whole number of at least 1"),
        (("shared-layers", "--text", "x.txt"), "x.txt"),
        (("shared-layers", "--text", "x.txt", "--task.path", "y"), "no option --task.path; known: "),
    ],
)
def test_mistakes_are_told_in_one_line(words, said, tmp_path, monkeypatch, jaxgpt):
    monkeypatch.chdir(tmp_path)
    status, _, errors = jaxgpt("lecture", *words)
    assert status == 2 and said in one_line(errors)


@pytest.mark.parametrize(
    ("words", "seeds"), [((), 6), (("--quick",), 1), (("--quick", "--seeds", "3"), 3), (("--seeds", "4"), 4)]
)
def test_a_quick_look_takes_one_seed_unless_told_otherwise(words, seeds, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(lecture, "make", lambda rows, files, folder, **given: asked.append((folder, given)))
    monkeypatch.setattr(lecture_command, "leave_at_once", lambda: None)
    monkeypatch.chdir(tmp_path)
    lecture_command.run(lecture_command.parser().parse(["attention", "--text", "x.txt", *words]))
    ((folder, given),) = asked
    assert given["seeds"] == seeds and given["quick"] == ("--quick" in words)
    assert folder.name == ("lecture-quick" if "--quick" in words else "lecture")


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (PretrainingAblation(), (19, 11)),
        (PretrainingTasks(), (56, 24)),
        (InContext(), (6, 4)),
        (ZeroShotSizes(), (4, 2)),
    ],
)
def test_a_quick_look_has_fewer_models_of_every_kind(row, counts):
    files = {name: "x" for name in row.files}
    whole, few = ({arm.name: arm for arm in one.arms(files)} for one in (row, row.shortened()))
    assert (len(whole), len(few)) == counts and all(whole[name] == arm for name, arm in few.items())
    kinds = [{arm.training({}, quick=True).model.kind for arm in arms.values()} for arms in (whole, few)]
    assert kinds[0] == kinds[1]


def test_a_quick_look_has_shorter_taggers_and_texts():
    row = FrozenFeatures()
    assert row.shortened().ladder == dataclasses.replace(row.ladder, steps=row.ladder.steps // SHORTER)
    assert HashedAttention().shortened().lengths == HashedAttention().lengths[:3]
    assert Attention().shortened() == Attention()


def test_without_names_all_rows_are_made_whose_files_are_there(capsys):
    found = {type(row).kind() for row in lecture_command._rows([], {"text": "x.txt"})}
    assert {"attention", "hashed_attention"} <= found and "translation" not in found
    assert "left out: translation, which reads a file: --pairs FILE" in capsys.readouterr().out


def test_every_row_names_what_it_reads_and_has_names_of_its_own_for_its_arms():
    for name in Row.names():
        row = Row.named(name)()
        arms = row.arms({file: "x.txt" for file in row.files})
        assert row.title and row.claim and len({arm.folder for arm in arms}) == len(arms), name
        for place, arm in enumerate(arms):
            assert not arm.begins_from or arm.begins_from in [a.name for a in arms[:place]], name


def test_a_text_of_one_line_can_be_shown(text, tmp_path):
    line = tmp_path / "line.txt"
    line.write_text(text.read_text().replace("\n", " "))
    values = SMALL | {"task.path": str(line)}
    arms = [
        Arm("LSTM, characters", "text", values | {"training.keep_spaced": "2"}),
        Arm("GRU, characters", "text", values | {"training.keep_spaced": "3"}),
    ]
    runs = trained(arms, tmp_path, seeds=1, quick=False, say=lambda line: None)
    parts = Recurrent().parts(runs, {"text": str(line)})
    assert set(parts) == {"loss", "words", "samples", "gru-samples"}
    assert len(parts["samples"].scores["words found"]) == 2
    assert len(parts["gru-samples"].scores["words found"]) == 3
    making._write(parts["samples"], tmp_path / "shown")
    page = (tmp_path / "shown.md").read_text()
    assert page.count("```text\n") == 3 and page.count("\nstep 1; ") == 1 and page.count("\nstep 6; ") == 2
    assert page.rstrip().rpartition("\n\n")[2].strip() == parts["samples"].summary()


def test_what_the_lstm_and_the_gru_write_is_kept_while_they_learn():
    arms = {arm.name: arm.training({}, quick=False) for arm in Recurrent().arms({"text": "x.txt"})}
    kept = {name for name, experiment in arms.items() if experiment.training.keep_spaced == 6}
    assert kept == {"LSTM, characters", "GRU, characters"}


def test_an_arm_begins_from_the_weights_of_another(text, tmp_path):
    first = Arm("first", "text", SMALL | {"task.path": str(text)})
    still = {"optimizer.learning_rate": "1e-12", "optimizer.warmup_steps": "0", "optimizer.weight_decay": "0"}
    sizes = {name: value for name, value in SMALL.items() if name.startswith("training.")}
    second = Arm("second", "text", {"task.path": str(text)} | sizes | still, begins_from="first")
    runs = trained([first, second], tmp_path, seeds=2, quick=False, say=lambda line: None)
    for before, after in zip(runs["first"].models, runs["second"].models, strict=True):
        leaves = (jax.tree.leaves(nnx.state(model, nnx.Param)) for model in (before, after))
        for a, b in zip(*leaves, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert not np.allclose(
        *(nnx.state(model, nnx.Param).embedding.table[...] for model in runs["second"].models)
    )


@pytest.mark.parametrize(
    ("experiment", "name", "content", "message"),
    [
        ("genres", "films.csv", "title,synopsis\nHarbour,A keeper finds a letter.\n", "no column 'genres'"),
        ("translation", "pairs.tsv", "Go.\n", "line 1 has 1 column: 'Go.'"),
        ("translation", "none.tsv", None, "cannot be read .No such file"),
        ("translation", "pairs.tsv", "Go.\tVa !\n", "sacrebleu, which is not installed"),
    ],
    ids=["column", "line", "file", "sacrebleu"],
)
def test_an_unfit_file_of_a_later_row_is_refused_before_anything_is_trained(
    experiment, name, content, message, text, tmp_path, monkeypatch
):
    class Later(Depths):
        def arms(self, files):
            return (Arm("later", experiment, {"task.path": files["pairs"]}),)

    if message.startswith("sacrebleu"):
        monkeypatch.setitem(sys.modules, "sacrebleu", None)
    if content is not None:
        (tmp_path / name).write_text(content)
    files = {"text": str(text), "pairs": str(tmp_path / name)}
    with pytest.raises(ValueError, match=message) as error:
        make([Depths(), Later()], files, tmp_path / "out", seeds=1, say=pytest.fail)
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_a_text_too_short_for_a_later_row_is_refused_before_anything_is_trained(text, tmp_path):
    class Longer(Depths):
        def arms(self, files):
            arms = super().arms(files)
            return *arms, Arm("longer", "text", {**arms[0].values, "model.max_length": "256"})

    task = Longer().arms({"text": str(text)})[0].task()
    held_out = sum(len(example.target) for example in task.examples("validation"))
    assert 8 * 17 < held_out < 8 * 257
    with pytest.raises(ValueError) as error:
        make([Depths(), Longer()], {"text": str(text)}, tmp_path / "out", seeds=1, say=pytest.fail)
    assert str(error.value) == (
        f"{text}: {held_out} of its characters are held out, and 2,056 are needed; give a longer text"
    )
    assert not (tmp_path / "out").exists()


def test_two_arms_in_one_directory_are_refused_before_anything_is_trained(text, tmp_path):
    class Alike(Depths):
        def arms(self, files):
            return Arm("width 8", "text", SMALL), Arm("Width 8!", "text", SMALL)

    with pytest.raises(
        ValueError, match="the run of 'Width 8!' would be in 'width-8', as that of 'width 8' is"
    ):
        make([Alike()], {"text": str(text)}, tmp_path, seeds=1, say=print)
    assert not any(tmp_path.iterdir())
    assert Arm("большая", "text").folder == "большая" != Arm("малая", "text").folder
