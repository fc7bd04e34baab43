"""Operations counted from a trace, against the model's formula and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_runs import tiny

from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.parallel.sharding import make_mesh
from jaxgpt.plan import traced_flops as flops
from jaxgpt.runs import experiments
from jaxgpt.runs.run_weights import override
from jaxgpt.training.flops import training_flops
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.prepare import Prepared, prepare
from jaxgpt.training.program import Program
from jaxgpt.training.step_cost import example_tokens, flops_formula, step_flops
from jaxgpt.training.training_config import TrainingConfig

LENGTH, BATCH = 48, 4
HASHED = Reformer(layers=("lsh",), chunk=8)


def counted(**fields) -> tuple[int, int]:
    """Of one step: what the trace holds, and what the formula says."""
    accumulation = fields.pop("accumulation", 1)
    config = made(
        ModelConfig, **{"vocab_size": 100, "max_length": LENGTH, "num_layers": 2, "d_model": 64} | fields
    )
    training = TrainingConfig(batch_size=BATCH, accumulation=accumulation)
    program = Program(Template(config), AdamW(), training, 1, make_mesh(MeshConfig(data=1), BATCH), LENGTH)
    data = {"stream": jax.ShapeDtypeStruct((1000,), np.uint8)}
    index = jax.ShapeDtypeStruct((BATCH,), np.int32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    trace = jax.make_jaxpr(lambda s, i, k, d: program.step(s, data=d, index=i, key=k))(
        program.abstract(), index, key, data
    )
    return flops.count(trace), BATCH * training_flops(config, program.template.shapes, tokens=LENGTH)


@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_step_is_what_the_formula_says(layers, accumulation):
    found, formula = counted(layers=layers, accumulation=accumulation)
    # The formula takes biases and norms for matrices, which are 2 % of these weights.
    assert 0.95 < found / formula < 1.0


@pytest.mark.parametrize(
    "fields",
    [
        {"embedding": EmbeddingConfig(width=8), "head": HeadConfig(transform=True)},
        {"embedding": EmbeddingConfig(kind="adaptive", cutoffs=(200, 1000), cutoff_factor=4)},
        {"wiring": "reversible", "head": HeadConfig(weights="separate")},
    ],
    ids=["narrow", "adaptive", "two-streams"],
)
def test_logits_cost_what_their_own_matrices_do(fields):
    """Not width times vocabulary, which here would be most of the step."""
    found, formula = counted(vocab_size=4000, **fields)
    assert 0.9 < found / formula < 1.1


@pytest.mark.parametrize(
    "fields",
    [
        {"window": 8},
        {"window": 8, "window_layers": (True, False)},
        {"window": 20},  # a mask
        {"memory": 16, "segment": 12},
        {"sparse": HASHED},
        {"sparse": Reformer(layers=("local",), local_chunk=8)},
        {"sparse": Longformer((8,))},
    ],
    ids=["window", "every-other", "mask", "memory", "hashed", "chunks", "near"],
)
def test_tokens_that_do_not_meet_all_save_what_the_formula_says(fields):
    """Against full attention; a layer that hashes saves a map, too, whose bias is none of the products."""
    (found, formula), (full, formula_of_full) = counted(**fields), counted()
    if fields.get("sparse") == HASHED:  # whose map the trace has twice, forwards; XLA computes it once
        found -= 2 * (2 * BATCH * LENGTH * 64 * 64)
    assert found - full == pytest.approx(formula - formula_of_full, rel=0.02)


def test_scanned_layers_count_as_often_as_they_run():
    two, four, six = (counted(layers="scanned", num_layers=layers)[0] for layers in (2, 4, 6))
    assert six - four == four - two > 0
    assert four == counted(layers="unrolled", num_layers=4)[0]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("flops") / "text.txt"
    path.write_text("".join(f"The {n}th tide comes in, and it goes out again.\n" for n in range(300)))
    return str(path)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model.kind": "encoder", "objective": "multitask"},
        {"model.kind": "encoder", "objective": "multitask", "model.window": "8"},  # a part of its mask
        {"model.kind": "encoder", "objective": "permuted"},
        # The decoder writes the span alone; noise of these two gives rows of other lengths.
        {"model.kind": "encoder_decoder", "objective": "denoising", "objective.noise": "masked_span"},
        pytest.param(
            {"model.kind": "encoder_decoder", "objective": "denoising", "objective.noise": "token_deletion"},
            marks=pytest.mark.thorough,
        ),
    ],
    ids=["decoder", "encoder", "windows", "permuted", "span", "deletion"],
)
def test_a_step_of_each_objective_costs_what_its_rows_say(fields, text):
    base = {"task.path": text, "tokenizer": "characters", "model.num_layers": "2", "model.d_model": "64"}
    base |= {"model.max_length": "64", "training.batch_size": "4", "training.steps": "10"}
    prepared = prepare(override(experiments.find("text"), base | fields))
    # Biases and norms count as matrices; so do logits of tokens that an encoder does not predict.
    assert 0.9 < traced(prepared) / step_flops(prepared) < 1.0


def traced(prepared: Prepared) -> int:
    """Of a step on four rows of an experiment's data, what the trace holds."""
    index, key = jax.ShapeDtypeStruct((4,), np.int32), jax.eval_shape(lambda: jax.random.key(0))
    program, data = prepared.program, prepared.feed.data
    trace = jax.make_jaxpr(lambda s, i, k, d: program.step(s, data=d, index=i, key=k))(
        program.abstract(), index, key, data
    )
    return flops.count(trace)


LONG = "the tide comes in and goes out again " * 2
LABELLED = {"model.d_model": "16", "model.labels_from": "last", "model.head.weights": "none"}
ENCODER, BOTH = {"model.kind": "encoder"}, {"model.kind": "encoder_decoder"}


@pytest.mark.parametrize(
    ("prompt", "fields", "times"),
    [
        ("{}+{}", {"objective": "masked"} | ENCODER, 1),
        (LONG + "{}\t{}", {"objective": "labels"} | LABELLED | BOTH, 2),
        (LONG + "{}\t{}", {"objective": "similarity"} | LABELLED | ENCODER, 2),
        (LONG + "{}{}\tyes\tno", {"objective": "multiple_choice"} | LABELLED | BOTH, 4),
    ],
    ids=["masked", "labels", "similarity", "choices"],
)
def test_a_step_on_questions_costs_what_is_read_of_them(prompt, fields, times, tmp_path):
    """All of a row, as often as there are choices or orders, by both stacks where there are two."""
    path = tmp_path / "lines.tsv"
    targets = "yes", "no"
    path.write_text("".join(f"{prompt.format(n, n)}\t{targets[n % 2]}\n" for n in range(1000, 1200)))
    base = {"task.path": str(path), "task.texts": "0", "tokenizer": "characters", "model.num_layers": "2"}
    base |= {"model.d_model": "64", "model.num_heads": "2", "model.max_length": "128"}
    base |= {"training.batch_size": "4", "training.steps": "10", "training.test_examples": "0"}
    prepared = prepare(override(experiments.find("pairs"), base | fields))
    assert example_tokens(prepared) == times * prepared.table.tokens.shape[-1]
    assert 0.9 < traced(prepared) / step_flops(prepared) < 1.0


def test_a_step_on_labels_costs_no_logits_that_are_not_computed(tmp_path):
    path = tmp_path / "lines.tsv"
    path.write_text("".join(f"tide {n}\t{('in', 'out')[n % 2]}\n" for n in range(1000, 1200)))
    base = {"task.path": str(path), "task.texts": "0", "tokenizer": "characters", "model.num_layers": "1"}
    base |= {"model.d_model": "16", "model.num_heads": "2", "model.max_length": "32", "objective": "labels"}
    base |= {"training.batch_size": "4", "training.steps": "10", "training.test_examples": "0"}
    base |= {"model.kind": "decoder"}

    def of(weights, **more):
        changes = {"model.labels_from": "last", "model.head.weights": weights}
        changes |= {name.replace("__", "."): value for name, value in more.items()}
        return prepare(override(experiments.find("pairs"), base | changes))

    tied, none = of("tied"), of("none")
    assert step_flops(tied) == step_flops(none) and " for logits" not in flops_formula(tied)
    assert "+ 6 x weights of the labels' head x states that it reads + " in flops_formula(tied)
    both = of("tied", objective__language_loss_weight="0.5")
    read = both.table.tokens.shape[-1] - 1  # the last token predicts nothing
    assert step_flops(both) - step_flops(none) == 4 * 6 * 16 * both.model.vocab_size * read
    assert "6 x width x vocabulary x tokens with logits for logits" in flops_formula(both)


@pytest.mark.parametrize("additive", ["false", "true"])
def test_a_step_of_recurrent_translation_costs_what_its_layers_do(additive, tmp_path):
    """Without attention and with it: a source that is read from both sides, its keys, scores and contexts."""
    path = tmp_path / "lines.tsv"
    path.write_text("".join(f"{LONG}{n}\t{LONG[:50]}{n}\n" for n in range(1000, 1200)))
    values = {"task.path": str(path), "tokenizer": "characters", "model.kind": "encoder_decoder"}
    values |= {"model.mixer": "gru", "model.mixer.additive": additive, "model.max_length": "128"}
    values |= {"model.num_layers": "2", "model.d_model": "32", "training.batch_size": "4"}
    prepared = prepare(override(experiments.find("pairs"), values | {"training.steps": "10"}))
    assert 0.95 < traced(prepared) / step_flops(prepared) < 1.0


def test_packed_rows_cost_what_their_places_do():
    prepared = prepare(tiny(training__packing=24, training__batch_size=4, model__d_model=64))
    assert example_tokens(prepared) == 24
    assert 0.9 < traced(prepared) / step_flops(prepared) < 1.0


@pytest.mark.thorough
def test_what_is_computed_again_counts():
    plain, again = (counted(layers="scanned", remat=remat)[0] for remat in ("none", "block"))
    # A third of a block's operations, but not of the head's: below 4/3.
    assert 1.15 < again / plain < 4 / 3


def test_by_hand():
    x, y = jnp.ones((3, 5)), jnp.ones((5, 7))

    def looped(x, y):
        total, _ = jax.lax.scan(lambda carry, _: (carry + (x @ y).sum(), None), 0.0, None, length=11)
        branch = jax.lax.cond(total > 0, lambda: x @ y, lambda: 0 * (x @ y) + (x @ y))
        return jax.jit(lambda a: a @ a.T)(branch)

    product = 2 * 3 * 5 * 7
    expected = 11 * product + 2 * product + 2 * 3 * 7 * 3
    assert flops.count(jax.make_jaxpr(looped)(x, y)) == expected


def test_a_convolution_by_hand():
    image, kernel = jnp.ones((1, 4, 9, 9)), jnp.ones((6, 4, 3, 3))
    trace = jax.make_jaxpr(lambda a, b: jax.lax.conv(a, b, (1, 1), "VALID"))(image, kernel)
    assert flops.count(trace) == 2 * (6 * 7 * 7) * (4 * 3 * 3)
