"""Training on rows of several examples."""

import numpy as np
import pytest
from program_steps import steps
from tiny_runs import tiny

from jaxgpt.runs import opening as report
from jaxgpt.training.prepare import prepare

#: Forty sums of one or two digits, of at most 8 places each.
FEW = {"task__max_digits": "2", "task__extra_digits": "", "training__train_examples": 40}


@pytest.mark.thorough
def test_a_step_over_all_rows_is_a_step_over_all_examples(quick_compilation):
    common = FEW | {"training__chunk": 1, "objective__end_weight": 0.5}
    rows = prepare(tiny(**common, training__packing=20)).table.num_examples
    assert rows < 20
    alone = steps(tiny(**common, training__batch_size=40), [1])
    packed = {"training__packing": 20, "training__accumulation": rows, "training__batch_size": rows}
    together = steps(tiny(**common, **packed, seeds=2), [1])
    for ours, theirs in zip(alone[:2], together[:2], strict=True):  # losses, norms of gradients
        np.testing.assert_allclose(theirs[0, 0], ours[0, 0], rtol=1e-5)
        assert abs(theirs[0, 1] - theirs[0, 0]) > 1e-4  # another seed's


def test_epochs_count_rows_and_the_report_says_how_full_they_are():
    prepared = prepare(tiny(**FEW, training__packing=24, training__epochs=2, training__batch_size=4), None)
    table = prepared.table
    assert prepared.resolved.steps == -(-2 * table.num_examples // 4)
    lines = report.summary(prepared).splitlines()
    (told,) = [line for line in lines if line.startswith("packing")]
    assert f"{table.num_examples} rows of 24 places" in told and f"{table.share:.1%} of the places" in told
    (told,) = [line for line in lines if line.startswith("data")]
    real = sum(map(len, (ids for row in range(table.num_examples) for ids in table.document_ids(row))))
    assert f"40 examples, {real:,} tokens an epoch; 96 a step" in told
    first = lines[lines.index("rows        [brackets] carry loss") + 1].strip()
    shown = first.removeprefix("<bos>").removesuffix("<eos>]").split("<eos>]<bos>")
    targets = {e.prompt: e.target for e in prepared.examples}
    assert [targets[prompt] for prompt, _ in (text.split("[") for text in shown)] == [
        target for _, target in (text.split("[") for text in shown)
    ]


def test_validation_stays_as_it_is():
    alone, packed = (prepare(tiny(**FEW, training__packing=p)).validation for p in ("none", 24))
    assert alone.keys() == packed.keys()
    for name in alone:
        np.testing.assert_array_equal(alone[name], packed[name])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"training__packing": 3}, r"training\.packing=3 is shorter than .* raise it"),
        ({"training__packing": 0}, "packing=0 must be at least 1, or none"),
        ({"model__kind": "encoder"}, r"training\.packing=24: model\.kind=encoder .*training\.packing=none"),
        ({"model__kind": "encoder_decoder"}, r"training\.packing=24: model\.kind=encoder_decoder"),
        ({"model__mixer": "gru"}, r"training\.packing=24: model\.mixer=gru"),
        ({"model__memory": 4}, r"training\.packing=24: model\.memory=4"),
        (
            {"objective": "labels"},
            r"training\.packing=24: objective=labels .*set packing to none",
        ),
    ],
)
def test_what_cannot_be_packed_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        prepare(tiny(**(FEW | {"training__packing": 24} | changes)))


def test_a_text_has_nothing_to_pack(tmp_path):
    from jaxgpt.core import fields
    from jaxgpt.runs import experiments

    path = tmp_path / "text.txt"
    path.write_text("to be or not to be " * 40)
    experiment = fields.override(experiments.find("text"), {"task.path": str(path), "training.packing": "64"})
    with pytest.raises(ValueError, match=r"training\.packing=64 is for questions; .*without padding"):
        prepare(experiment)
