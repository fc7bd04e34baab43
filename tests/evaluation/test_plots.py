"""The pictures hold the numbers they are drawn from."""

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Evaluation, Row
from jaxgpt.evaluation.intervals import proportion


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []
    save = Figure.savefig

    def keep(self, *arguments, **options):
        figures.append(self)
        return save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def row(group, rate, n=50, inside=True):
    return Row(group, proportion([rate], n), n, inside)


METRICS = [
    (20, 0, "loss", None),
    (20, 1, "loss", None),
    (0, 0, "loss", 7.0),
    (0, 1, "loss", 9.0),
    (0, 0, "grad_norm", 1.0),
    (10, 0, "loss", 1.5),
    (10, 1, "loss", 2.5),
    (10, 0, "validation_loss", 2.0),
    (10, 1, "validation_loss", 2.5),
    (20, 0, "validation_exact_match", 0.5),
]


def test_a_learning_curve_holds_the_records(tmp_path, drawn):
    plots.learning_curve(METRICS, tmp_path / "curve.png")
    loss, exact = drawn[0].axes
    curves = {line.get_label(): line.get_xydata().tolist() for line in loss.lines}
    assert curves == {"training": [[0, 8.0], [10, 2.0]], "validation": [[10, 2.25]]}
    assert exact.lines[0].get_xydata().tolist() == [[20, 0.5]]
    band = loss.collections[0].get_paths()[0].vertices[:, 1]
    assert {1.5, 2.5, 7.0, 9.0} <= set(band.tolist())
    assert loss.get_yscale() == "log" and len(loss.collections) == 2
    picture = imread(tmp_path / "curve.png")
    assert picture.shape[0] > 400 and picture.std() > 0.05


def test_one_loss_is_enough_and_none_is_an_error(tmp_path, drawn):
    plots.learning_curve(METRICS[:3], tmp_path / "curve.png")
    assert len(drawn[0].axes) == 1
    with pytest.raises(ValueError, match="no loss was recorded"):
        plots.learning_curve(METRICS[:2], tmp_path / "none.png")


def test_a_small_range_of_losses_is_drawn_linearly(tmp_path, drawn):
    plots.learning_curve([(i, 0, "loss", 2.0 + i / 10) for i in range(5)], tmp_path / "curve.png")
    assert drawn[0].axes[0].get_yscale() == "linear"


def test_pairs_of_lengths_become_a_map(tmp_path, drawn):
    rates = {"01+01": 1.0, "01+02": 0.996, "02+01": 0.5, "02+02": 0.26}
    groups = [row(f"{name} digits", rate) for name, rate in rates.items()]
    groups.append(row("12+12 digits", 0.0, inside=False))
    plots.accuracy_grid(Evaluation("test", 1, row("all", 0.9), tuple(groups)), tmp_path / "grid.png")
    axes = drawn[0].axes[0]
    shown = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    # Columns are the second operand: 1+2 digits stands in column 1 of line 0.
    assert shown == {(0, 0): "100", (1, 0): ">99", (0, 1): "50", (1, 1): "26", (2, 2): "0"}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "12"]
    assert len(axes.lines) == 2  # the border of what was trained on
    assert imread(tmp_path / "grid.png").std() > 0.05


def test_other_groups_become_bars_with_their_intervals(tmp_path, drawn):
    groups = (row("short", 0.9), row("long", 0.2, inside=False))
    plots.accuracy_grid(Evaluation("test", 3, row("all", 0.9), groups), tmp_path / "bars.png")
    axes = drawn[0].axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.9, 0.2]
    assert [tuple(line.get_xdata()) for line in axes.lines[::2]] == [g.exact_match.interval for g in groups]
    assert [tuple(line.get_xdata()) for line in axes.lines[1::2]] == [(0.9,), (0.2,)]  # seen at 0, too
    assert [label.get_text() for label in axes.get_yticklabels()] == ["short", "long"]
    assert "3 seeds" in axes.get_title()


def test_without_questions_the_picture_says_so(tmp_path, drawn):
    plots.accuracy_grid(Evaluation("test", 1, None), tmp_path / "grid.png")
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["no held-out question was asked"]
    assert (tmp_path / "grid.png").stat().st_size > 0
