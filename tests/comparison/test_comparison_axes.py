"""What is varied: the words of the command line, and the cells they make."""

import itertools

import pytest
from comparison_building import given, words

from jaxgpt.cli import compare as command
from jaxgpt.comparison import axes
from jaxgpt.comparison.axes import Axis
from jaxgpt.core.usage import UsageError
from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.runs import experiments
from jaxgpt.tokenizers import build


def test_an_option_may_repeat_and_others_may_not():
    found = given("--vary", "a=1", "--vary=b=2", "--budgets", "flops")
    assert found.vary == ["a=1", "b=2"] and found.budgets == "flops" and found.given == {"vary", "budgets"}
    assert given().vary == [] and given().given == set()
    with pytest.raises(UsageError, match="--budgets is given twice"):
        given("--budgets", "flops", "--budgets", "flops")


def test_the_product_changes_its_last_axis_fastest():
    found = axes.combinations([Axis("tokenizer", ("digits", "bytes")), Axis("seeds", ("1", "2"))])
    assert [tuple(cell.values()) for cell in found] == [
        ("digits", "1"),
        ("digits", "2"),
        ("bytes", "1"),
        ("bytes", "2"),
    ]
    assert axes.combinations([]) == [{}]


def test_names_and_folders():
    values = {"tokenizer": "digits:3:right", "model.position": "none"}
    assert (axes.label(values), axes.slug(values)) == ("digits:3:right / none", "digits-3-right_none")
    assert axes.label({"tokenizer": "../shared/gpt2_bpe/"}) == "gpt2_bpe"
    assert axes.slug({"tokenizer": "../shared/gpt2 bpe"}) == "gpt2-bpe"
    assert axes.label({"tokenizer": "subset:../shared/gpt2_bpe/"}) == "subset:gpt2_bpe"
    assert axes.slug({"optimizer.learning_rate": "1e-3"}) == "1e-3"
    assert axes.slug({"tokenizer": "словарь", "task.format": "-"}) == "cell_cell"


def test_a_value_that_is_the_present_member_keeps_its_settings():
    experiment = experiments.find("addition")
    assert isinstance(experiment.model.position, CoupledRelative)
    changed = axes.apply(experiment, {"model.position.reach": "7"})
    assert axes.apply(changed, {"model.position": "coupled_relative"}).model.position.reach == 7
    assert axes.apply(changed, {"model.position": "coupled-relative"}).model.position.reach == 7
    other = axes.apply(experiment, {"model.position": "rotary", "task.format": "plain"})
    assert other.model.position == Rotary() and other.task.format == "plain"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "nothing is compared; give --tokenizers"),
        (["--tokenizers", "digits,,bytes"], "--tokenizers digits,,bytes: NAME,NAME,... is needed"),
        (["--tokenizers", "digits,bytes,digits"], "--tokenizers: the value digits is named twice"),
        (["--vary", "task.format=plain,plain"], "--vary task.format: the value plain is named twice"),
        (["--vary", "training.seed=0,1"], "--vary training.seed: every cell has the same seeds"),
        (["--vary", "model.position"], "--vary model.position: PATH=VALUE,VALUE,... is needed"),
        (["--vary", "=a,b"], "PATH=VALUE,VALUE,... is needed"),
        (
            ["--vary", "model.positions=none,rotary"],
            "no field 'model.positions'; did you mean --model.position",
        ),
        (["--vary", "model.position=none,rotery"], "did you mean rotary"),
        (["--vary", "task.format=plain,odd"], "task.format='odd'"),
        (["--tokenizers", "digits,bytes", "--vary", "tokenizer=bpe:300"], "tokenizer is varied twice"),
        (["--tokenizers", "digits,bytes", "--tokenizer", "digits"], "--tokenizer cannot have one value"),
        (["--tokenizers", "digits,bytes", "--sweep", "tokenizer=bytes"], "tokenizer is varied twice"),
        (["--tokenizers", "digits,bytes", "--budgets", "time"], "--budgets time: known: examples, flops"),
        (["--tokenizers", "digits,bytes", "--budgets", "flops,flops"], "each once"),
        (["--tokenizers", "digits,bytes", "--baseline", "digit"], "--baseline digit: 'digit' is no value"),
        (["--tokenizers", "digits,bytes", "--baseline", "digits,bytes"], "'bytes' is no value"),
        (["--tokenizers", "digits,bytes", "--sweep", "optimizer.rate=1,2"], "no field 'optimizer.rate'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_name_the_way_out(more, message):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        command.request(given(*words(*more)))
    assert message in str(error.value)


def test_the_baseline_is_named_by_its_values_and_the_first_cell_otherwise():
    line = words("--tokenizers", "digits,../x/gpt2", "--vary", "task.format=plain,reversed")
    for text, expected in {
        None: ("digits", "plain"),
        "reversed": ("digits", "reversed"),
        "gpt2": ("../x/gpt2", "plain"),
        "reversed,../x/gpt2": ("../x/gpt2", "reversed"),
    }.items():
        named = [] if text is None else ["--baseline", text]
        found = command.request(given(*line, *named)).baseline
        assert found == dict(zip(("tokenizer", "task.format"), expected, strict=True))


def test_an_experiment_may_say_what_is_compared():
    """Whatever the command line names is compared in its place."""
    found = command.request(given("which-tokenization"))
    own = experiments.compared("which-tokenization")
    assert [(axis.path, axis.values) for axis in found.axes] == [("tokenizer", own.vary["tokenizer"])]
    assert len(own.vary["tokenizer"]) == 8 and found.budgets == ("examples",)
    assert found.baseline == {"tokenizer": "digits"} and found.experiment.seeds >= 8
    named = command.request(given("which-tokenization", "--tokenizers", "digits,bytes", "--budgets", "flops"))
    assert [axis.values for axis in named.axes] == [("digits", "bytes")] and named.budgets == ("flops",)
    varied = command.request(given("which-tokenization", "--vary", "model.position=rotary,none"))
    assert [axis.path for axis in varied.axes] == ["model.position"] and len(varied.budgets) == 2
    assert experiments.compared("addition") is None


@pytest.mark.parametrize("asked", ["subtraction", "multiplication", "comparison"])
def test_each_question_is_asked_of_eight_tokenizations_that_can_write_it(asked):
    """The slots and the places of those made for one length hold every number, results included."""
    experiment = experiments.find(f"which-tokenization-{asked}")
    found = experiments.compared(f"which-tokenization-{asked}").vary["tokenizer"]
    assert len(found) == 8 and experiment.seeds >= 6
    lines = [e.prompt + e.target for e in itertools.islice(experiment.task.examples("train"), 3000)]
    for name in found:
        tokenizer = build(name, lambda: lines)
        longest = max(lines, key=lambda line: len(tokenizer.encode(line)))
        assert len(tokenizer.encode(longest)) + 2 <= experiment.model.max_length
        assert tokenizer.decode(tokenizer.encode(longest)) == longest


def test_what_an_experiment_compares_has_no_other_value():
    with pytest.raises(UsageError, match="tokenizer is varied, so --tokenizer cannot have one value"):
        command.request(given("which-tokenization", "--tokenizer", "digits"))
