"""Configuration fields: JSON both ways, overrides, hints, and text that must not run."""

import dataclasses
import json
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.core.choice import FieldError, load_dotted
from jaxgpt.core.fields import changed, describe, differences, from_json, help_of, hints, override, to_json
from jaxgpt.core.nested import made
from jaxgpt.models import ModelConfig
from jaxgpt.nn.position import Position
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.task import Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig

CALLED = []


def change(config, path, text):
    """`override` of a single field."""
    return override(config, {path: text})


@dataclasses.dataclass(frozen=True)
class Mine(Position):
    """A scheme outside the library."""

    size_of_it: int = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """The shape of an experiment, without a task."""

    name: Annotated[str, "what it is called"]
    model: Annotated[ModelConfig, "the transformer"] = dataclasses.field(default_factory=ModelConfig)
    optimizer: Optimizer = dataclasses.field(default_factory=AdamW)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    seeds: int = 1
    lengths: tuple[int, ...] = ()
    mixed: int | float | None = None


def test_of_two_ways_to_say_the_same_the_given_one_counts():
    counted = Plan("", training=TrainingConfig(steps=7, epochs=2.0))
    assert change(counted, "training.steps", "9").training == TrainingConfig(steps=9)
    assert change(counted, "training.epochs", "3").training == TrainingConfig(steps=7, epochs=3.0)
    given = {"training.epochs": "1", "training.steps": "500"}
    with pytest.raises(FieldError, match=r"^training.epochs and training.steps are two ways to say the same"):
        override(counted, given)
    assert override(counted, given | {"training.epochs": "none"}).training == TrainingConfig(steps=500)


def not_a_position():
    CALLED.append("called")


# Strategies give arguments, and the test builds from them: checked shapes draw random numbers of their own.
POSITIONS = st.one_of(
    st.tuples(
        st.just(Rotary),
        st.fixed_dictionaries(
            {
                "theta": st.floats(1, 1e6),
                "rotary_dim": st.sampled_from([None, 2, 8]),
                "pairing": st.sampled_from(["half", "interleaved"]),
            }
        ),
    ),
    st.tuples(st.just(Relative), st.fixed_dictionaries({"max_distance": st.integers(32, 500)})),
    st.tuples(st.just(Abacus), st.fixed_dictionaries({"max_position": st.integers(256, 999)})),
    st.tuples(st.just(Mine), st.fixed_dictionaries({"size_of_it": st.integers()})),
)
MODELS = st.fixed_dictionaries(
    {
        "attention.head_dim": st.sampled_from([None, 8, 16]),
        "window": st.none() | st.integers(1, 10**6),
        "dropout": st.floats(0, 0.99),
        "norm_epsilon": st.floats(1e-12, 1),
        "mlp.activation": st.sampled_from(["relu", "geglu_tanh"]),
        "head.bias": st.booleans(),
    }
)
PLANS = st.fixed_dictionaries(
    {
        "name": st.text(),
        "seeds": st.integers(1, 9),
        "lengths": st.lists(st.integers()).map(tuple),
        "mixed": st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    }
)


@given(PLANS, MODELS, POSITIONS)
def test_json_round_trip(fields, model, position):
    scheme, arguments = position
    plan = Plan(**fields, model=made(ModelConfig, **model, position=scheme(**arguments)))
    again = from_json(Plan, json.loads(json.dumps(to_json(plan))))
    assert again == plan and type(again.mixed) is type(plan.mixed)
    assert not differences(plan, again)


@pytest.mark.parametrize(
    ("path", "text"),
    [("model.mask_id", "3"), ("model.marks", "5"), ("model.token_values", "1,2"), ("model.number", "xval"),
     ("model.label_names", "a,b"), ("model.position.digit_ids", "9,9"), ("model.position.marker_id", "1")],
)  # fmt: skip
def test_what_follows_from_the_tokenizer_is_no_option(path, text):
    plan = Plan("", model=ModelConfig(position=Position.named("coupled")()))
    with pytest.raises(FieldError, match=f"^no field '{path}'"):
        override(plan, {path: text})
    assert f'"{path.split(".")[-1]}":' not in json.dumps(to_json(plan))
    assert path not in [row.path for row in describe(plan)]


def test_json_is_readable():
    data = to_json(ModelConfig(position=Relative(num_buckets=8)))
    assert data["position"] == {
        "kind": "relative",
        "direction": "past",
        "num_buckets": 8,
        "max_distance": 128,
    }
    assert data["encoder_layers"] is None and data["kind"] == "decoder"
    assert to_json(Mine()) == {"kind": f"{__name__}:Mine", "size_of_it": 3}


PLAN = Plan("a plan")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("name", "b = c", "b = c"),
        ("seeds", "3", 3),
        ("training.steps", "1e4", 10_000),
        ("training.steps", "20_000", 20_000),
        ("optimizer.learning_rate", "3e-4", 3e-4),
        ("optimizer.clip_norm", "none", None),
        ("optimizer.clip_norm", "2", 2.0),
        ("training.wandb", "yes", True),
        ("training.wandb", "False", False),
        ("model.head.weights", "separate", "separate"),
        ("model.kind", "encoder-decoder", "encoder_decoder"),
        ("model.window", "64", 64),
        ("model.position", "alibi", Position.named("alibi")()),
        ("model.position.rotary-dim", "8", 8),
        ("model.d-model", "128", 128),
        ("lengths", "3,4,5", (3, 4, 5)),
        ("lengths", "", ()),
        ("lengths", "none", ()),
        ("lengths", "empty", ()),
        ("mixed", "0.5", 0.5),
        ("mixed", "2", 2),
        ("training.mesh.fsdp", "4", 4),
    ],
)
def test_overrides(path, text, value):
    changed = change(PLAN, path, text)
    found = changed
    for name in path.replace("-", "_").split("."):
        found = getattr(found, name)
    assert found == value and type(found) is type(value)
    assert Plan("a plan") == PLAN


def test_a_list_of_texts_without_entries_can_be_typed():
    genres = Task.named("genres")(chosen=("Drama", "Comedy"))
    for text in ("none", "empty"):  # as the help shows a list without entries
        assert change(genres, "chosen", text).chosen == ()
    assert change(genres, "chosen", "Drama,Horror").chosen == ("Drama", "Horror")


def test_a_preset_replaces_the_model_whole():
    changed = change(change(PLAN, "model", "gpt2"), "model.num_layers", "3")
    assert (changed.model.d_model, changed.model.num_layers) == (768, 3)


def test_a_scheme_of_ones_own():
    changed = change(PLAN, "model.position", f"{__name__}:Mine")
    assert change(changed, "model.position.size-of-it", "7").model.position == Mine(7)


def problem(function, *arguments):
    with pytest.raises(FieldError) as error:
        function(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("training.chunk", f"{2**63 - 1}", "training.chunk=9.22e+18 must be at most 2,147,483,647"),
        ("training.batch_size", f"{2**31}", "training.batch_size=2.15e+09 must be at most 2,147,483,647"),
        ("seeds", "three", "seeds='three' is not of type int"),
        ("seeds", "1.5", "seeds='1.5' is not of type int"),
        ("seeds", "1e-1", "seeds='1e-1' is not of type int"),
        ("seeds", "1e999", "seeds='1e999' is not of type int"),
        ("optimizer.learning_rate", "fast", "optimizer.learning_rate='fast' is not of type float"),
        ("training.wandb", "maybe", "training.wandb='maybe' is not of type bool"),
        (
            "model.head.weights",
            "tide",
            "model.head.weights='tide': did you mean tied? known: none, separate, tied",
        ),
        ("lengths", "1,x", "lengths='x' is not of type int"),
        (
            "model.position",
            "rotery",
            "model.position=rotery: no position is called 'rotery'; did you mean rotary",
        ),
        ("model", "gtp2", "model=gtp2: no preset is called 'gtp2'; did you mean gpt2"),
        ("model.d_modle", "3", "no field 'model.d_modle'; did you mean --model.d-model"),
        ("learning_rate", "1", "no field 'learning_rate'; did you mean --optimizer.learning-rate"),
        ("seeds.more", "1", "no field 'seeds.more'"),
        ("training.mesh.fdsp", "1", "no field 'training.mesh.fdsp'; did you mean --training.mesh.fsdp"),
        (
            "optimizer",
            "adamww",
            "optimizer=adamww: no optimizer is called 'adamww'; did you mean adamw? known",
        ),
    ],
)
def test_overrides_that_fail(path, text, expected):
    assert problem(change, PLAN, path, text).startswith(expected)


def test_an_override_is_checked_like_any_value():
    text = problem(change, PLAN, "model.d_model", "130")
    assert text.startswith("model.d_model=130 is not divisible by num_heads=4")
    together = override(PLAN, {"model.d_model": "130", "model.num_heads": "5"})
    assert together.model.d_model == 130


def test_a_whole_part_takes_effect_before_what_lies_inside_it():
    changed = override(PLAN, {"model.num_layers": "3", "model": "gpt2"})
    assert (changed.model.num_layers, changed.model.d_model) == (3, 768)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"sedes": 1}, "Plan has no field 'sedes'; did you mean seeds?"),
        ({"model": {"d_modle": 3}}, "model has no field 'd_modle'; did you mean d_model?"),
        ({"seeds": "1"}, "seeds='1' is not of type int"),
        ({"seeds": 1.0}, "seeds=1.0 is not of type int"),
        ({"seeds": True}, "seeds=True is not of type int"),
        ({"seeds": None}, "seeds=None is not of type int"),
        ({"name": 3}, "name=3 is not of type str"),
        ({"lengths": [1, "2"]}, "lengths[1]='2' is not of type int"),
        ({"lengths": 3}, "lengths=3 is not of type int,..."),
        ({"mixed": "1"}, "mixed='1' is not of type int|float|none"),
        ({"model": []}, "model=[] is not an object"),
        (
            {"model": {"head": {"weights": "tide"}}},
            "model.head.weights='tide' is not of type tied|separate|none",
        ),
        ({"model": {"head": {"bias": 1}}}, "model.head.bias=1 is not of type bool"),
        ({"model": {"dropout": False}}, "model.dropout=False is not of type float"),
        ({"model": {"position": {}}}, "model.position has no kind; known: abacus, alibi"),
        ({"model": {"position": {"kind": 3}}}, "model.position has no kind; known:"),
        ({"model": {"position": "rotary"}}, "model.position='rotary' is not an object"),
        (
            {"model": {"position": {"kind": "rotary", "tehta": 1}}},
            "model.position has no field 'tehta'; did you",
        ),
    ],
)
def test_json_that_does_not_fit(data, expected):
    assert problem(from_json, Plan, {"name": "a plan"} | data).startswith(expected)


def test_json_that_lacks_a_field():
    assert problem(from_json, Plan, {}).startswith("Plan lacks name; known: lengths, mixed, model")


CODE = [
    "__import__('os').system('false')",
    "__import__('os')",
    "os.system",
    "os:system('false')",
    "lambda: 0",
    "../rotary",
    "rotary;",
    "rotary:Rotary()",
    "",
    ":",
    "a:b:c",
    "__init__",
    "base",
    "runs",
]
NO_MEMBERS = [
    "os:system",
    "subprocess:Popen",
    "os:_exit",
    "builtins:exec",
    "jaxgpt.models.config:ModelConfig",
    "jaxgpt.nn.position.base:Table",
    f"{__name__}:not_a_position",
]


@pytest.mark.parametrize("text", CODE + NO_MEMBERS)
def test_text_that_looks_like_code_is_refused(text):
    problem(change, PLAN, "model.position", text)
    problem(from_json, Plan, {"name": "a", "model": {"position": {"kind": text}}})
    assert not CALLED


@pytest.mark.parametrize("text", NO_MEMBERS)
def test_what_is_no_member_says_so(text):
    assert problem(Position.named, text) == f"{text!r} is not a Position"


@given(st.text())
def test_any_text_is_a_number_or_a_field_error(text):
    for path, kind in (("seeds", int), ("optimizer.clip_norm", float | None), ("training.wandb", bool)):
        try:
            changed = change(PLAN, path, text)
        except ValueError as error:
            assert path.split(".")[-1] in str(error)
        else:
            name = path.split(".")[-1]
            holder = changed if name == "seeds" else getattr(changed, path.split(".")[0])
            assert isinstance(getattr(holder, name), kind)


def test_load_dotted():
    assert load_dotted("json:dumps") is json.dumps
    assert problem(load_dotted, "json:dmups").startswith("json has no 'dmups'; did you mean dumps")
    assert problem(load_dotted, "no_such_thing.at_all:x") == (
        "'no_such_thing.at_all:x': no module named 'no_such_thing' can be imported"
    )
    assert problem(load_dotted, "json") == "'json' is not of the form package.module:name"


def test_describe_lists_every_field_with_its_help():
    rows = {row.path: row for row in describe(PLAN)}
    assert rows["model.head.weights"] == (
        "model.head.weights",
        "tied|separate|none",
        "tied",
        "output matrix: the embedding's, its own, or no logits at all",
    )
    assert rows["model.position"].value == "rotary" and "alibi" in rows["model.position"].type.split("|")
    assert rows["model.position.theta"].value == 10_000.0
    assert rows["model.window"].type == "int|none"
    assert rows["training.mesh.data"].value == -1
    for part in (ModelConfig, AdamW, TrainingConfig):
        assert all(help_of(hint) for hint in hints(part).values()), part


def test_what_differs_from_the_defaults_of_its_class():
    assert changed(ModelConfig()) == set()
    assert changed(ModelConfig(d_model=32, position=Abacus())) == {"d_model", "position"}
    farther = ModelConfig(position=Rotary(theta=500.0))  # the default scheme with another setting
    assert changed(farther, "model.") == {"model.position.theta"}

    @dataclasses.dataclass(frozen=True)
    class Needs:
        given: int
        part: AdamW = dataclasses.field(default_factory=lambda: AdamW(learning_rate=0.5))

    assert changed(Needs(1)) == {"given", "part.learning_rate"}  # what has no default, and the class's own


def test_differences_show_old_and_new():
    changed = change(change(PLAN, "seeds", "4"), "model.position", "none")
    assert differences(PLAN, changed) == [
        "model.position.kind: rotary -> none",
        "model.position.theta: 10000.0 -> None",
        "model.position.factor: 1.0 -> None",
        "model.position.low: 1.0 -> None",
        "model.position.high: 4.0 -> None",
        "model.position.pairing: half -> None",
        "seeds: 1 -> 4",
    ]


def test_literals_take_hyphens_for_underscores():
    @dataclasses.dataclass(frozen=True)
    class Small:
        way: Literal["up_hill", "down"] = "down"

    assert change(Small(), "way", "up-hill").way == "up_hill"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"optimizer.learning-rate": "inf"}, "optimizer.learning_rate=inf must be positive and finite"),
        ({"optimizer.beta2": "1"}, "optimizer.beta2=1.0 must be at least 0 and below 1"),
        ({"optimizer.epsilon": "-1"}, "optimizer.epsilon=-1.0 must be positive and finite"),
        ({"optimizer.weight-decay": "nan"}, "optimizer.weight_decay=nan must be at least 0 and finite"),
        ({"training.seed": "4294967296"}, "training.seed=4294967296 must be below 2**31"),
        (
            {"training.seed": "2147483647", "seeds": "2"},
            "the last of seeds=2 from training.seed=2147483647 on is not below 2**31",
        ),
    ],
)
def test_numbers_that_would_train_something_else_are_refused(values, expected):
    with pytest.raises(FieldError) as caught:
        override(Experiment(Task(), "digits"), values)
    assert str(caught.value) == expected


@pytest.mark.parametrize("field", ["task", "model", "model.position", "model.window-position", "objective"])
def test_a_long_name_that_nobody_has_is_told_in_a_short_line(field):
    experiment = Experiment(Task.named("arithmetic")(), "digits")
    for text in ("1" * 300, f"[{'1, ' * 100}]"):
        with pytest.raises(ValueError, match=r"\A[^\n]{,300}\Z") as error:
            override(experiment, {field: text})
        assert str(error.value).startswith(f"{field}=") and "known: " in str(error.value)
