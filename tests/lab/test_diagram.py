"""The boxes of models against their arrays and what a tap sees; and what is drawn of them."""

import csv
import math

import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear

from jaxgpt.core.nested import replaced
from jaxgpt.evaluation import plots
from jaxgpt.lab import diagram
from jaxgpt.models import ModelConfig, Transformer, presets
from jaxgpt.models.token_features import Features
from jaxgpt.nn.tap import recorder
from jaxgpt.tokenizers import build

NAMES = (
    *("gpt2", "gptj", "pythia_160m", "gemma2_2b", "olmo2_7b", "gpt3_small", "qwen3_600m", "bert_base"),
    *("albert_base", "bart_base", "t5_small", "longformer_base", "transformer_xl", "reformer_enwik8"),
    *("char_lstm", "char_gru", "seq2seq", "rnn_search"),
    *("makemore_bigram", "makemore_mlp", "makemore_bag_of_words"),
)


def abstract(config):
    return nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))


def preset(name, layers=3):
    config = presets.named(name)
    return replaced(config, {"num_layers": min(layers, config.num_layers), "vocab_size": 250_000})


def seen_by_a_tap(model):
    graph, state = nnx.split(model)
    tokens, number = jnp.zeros((1, 8), jnp.int32), model.config.number
    given = {}
    if model.config.kind == "encoder_decoder":
        given["source"] = tokens
    if number is not None:
        given["features"] = Features(numbers=jnp.zeros((1, 8, number.size), number.dtype))
    seen, tap = recorder()
    jax.eval_shape(lambda state: nnx.merge(graph, state)(tokens, tap=tap, **given).hidden, state)
    return sorted(seen)


def check(model):
    """Every array is in one box, with its shape, and so is every tap; returns what was found."""
    found = diagram(model)
    leaves = {".".join(map(str, path)): leaf.shape for path, leaf in nnx.to_flat_state(nnx.state(model))}
    boxed = [leaf for box in found.boxes for leaf in box.leaves]
    assert dict(boxed) == leaves and len(boxed) == len(leaves)
    assert found.parameters == sum(math.prod(shape) for shape in leaves.values())
    assert sorted(tap for box in found.boxes for tap in box.taps) == seen_by_a_tap(model)
    drawn = sum(max(len(one.places), 1) * sum(b.parameters for b in one.frame.boxes) for one in found.drawn)
    assert drawn == found.parameters
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_array_and_every_tap_is_in_exactly_one_box(name):
    found = check(abstract(preset(name)))
    named = [box for box in found.boxes if box.name == "other weights"]
    assert len(named) == (
        name in ("rnn_search", "makemore_mlp")
    )  # what comes before a text, and nothing else
    assert found.boxes[0].name == "token embedding"


SETTINGS = (
    {"head.weights": "none", "kind": "encoder", "pooler": True, "labels": 3},
    {"segments": 2, "kind": "encoder", "head.transform": True, "head.bias": True, "embedding.norm": True},
    {"loops": 3, "loop_blocks": 1, "head.weights": "separate"},
    {"attention.qk_norm": True, "attention.num_kv_heads": 1, "mlp.activation": "swiglu", "norm": "rms"},
    {"wiring": "parallel_apart", "norm": "none"},
    {"embedding.width": 4, "head.transform": True},
)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
def test_so_it_is_with_other_parts(settings):
    base = ModelConfig(vocab_size=12, d_model=8, num_heads=2, num_layers=2)
    found = check(abstract(replaced(base, settings)))
    assert not [box for box in found.boxes if box.name == "other weights"]


def test_numbers_that_are_one_token_have_a_box():
    config = ModelConfig(d_model=8, num_heads=2).for_vocabulary(build("xval", lambda: ["1+2=3"]).vocabulary())
    names = [box.name for box in check(abstract(config)).boxes]
    assert names[:3] == ["token embedding", "numbers", "positions: rotary"]


def names_of(wiring, **settings):
    base = ModelConfig(vocab_size=12, d_model=8, num_heads=2, num_layers=1, wiring=wiring)
    found = diagram(abstract(replaced(base, settings)))
    (block,) = [frame for frame in found.frames if frame.index is not None]
    steps = [[[box.name for box in row] for row in step.rows] for step in block.steps]
    return steps, [step.total is not None for step in block.steps]


def test_norms_and_sums_stand_where_the_wiring_has_them():
    norm, attention, mlp = "layer norm", "attention", "MLP"
    assert names_of("pre") == ([[[norm], [attention]], [[norm], [mlp]]], [True, True])
    assert names_of("post") == ([[[attention]], [[norm]], [[mlp]], [[norm]]], [True, False, True, False])
    assert names_of("res_post") == ([[[attention], [norm]], [[mlp], [norm]]], [True, True])
    sandwich = [[[norm], [attention], [norm]], [[norm], [mlp], [norm]]]
    assert names_of("sandwich") == (sandwich, [True, True])
    assert names_of("parallel") == ([[[norm], [attention, mlp]]], [True])
    assert names_of("parallel_apart") == ([[[norm, norm], [attention, mlp]]], [True])
    assert names_of("pre", norm="none") == ([[[attention]], [[mlp]]], [True, True])


def test_more_than_three_equal_blocks_are_drawn_once():
    def titles(name, layers):
        return [one.title for one in diagram(abstract(preset(name, layers))).drawn if one.title]

    assert titles("gpt2", 12) == ["decoder blocks 0 to 11: x 12"]
    assert titles("gpt2", 3) == [f"decoder block {i}" for i in range(3)]
    assert titles("gemma2_2b", 8) == ["decoder blocks 0, 2, ... 6: x 4", "decoder blocks 1, 3, ... 7: x 4"]
    assert titles("gemma2_2b", 4) == ["decoder blocks 0 and 2: x 2", "decoder blocks 1 and 3: x 2"]
    assert titles("gemma2_2b", 5)[-1] == "decoder block 4"
    assert titles("albert_base", 1) == ["encoder block 0, 12 times over"]


def test_stacked_blocks_are_those_that_stand_apart():
    def rows(layers):
        config = replaced(preset("gpt2", 4), {"layers": layers})
        return [*diagram(abstract(config)).rows()[1]]

    assert rows("scanned") == rows("unrolled")


def test_sizes_are_told():
    found = diagram(linear().model)
    attention, mlp = (next(box for box in found.boxes if box.name == name) for name in ("attention", "MLP"))
    assert attention.detail == "2 heads x 3" and mlp.detail.startswith("6 -> 24 -> 6, gelu")
    assert "decoder.0.attention.weights" in attention.taps and attention.place == "decoder.0"
    many = diagram(abstract(preset("gemma2_2b")))
    details = [box.detail for box in many.boxes if box.name == "attention"]
    assert details[:2] == [
        "8 heads x 256, 4 for keys and values, window 4096",
        "8 heads x 256, 4 for keys and values",
    ]
    assert f"{found.parameters:,} parameters: " in found.summary()


@pytest.mark.parametrize("name", ["gptj", "t5_small", "rnn_search"])
def test_all_boxes_are_drawn_and_the_figure_is_narrow(name, tmp_path):
    found = diagram(abstract(preset(name)))
    figure = found.plot()
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    for one in found.drawn:
        for box in one.frame.boxes:
            assert box.name in texts or box.name == "sum"
            assert not box.parameters or f"{box.parameters:,}" in texts
    assert figure.get_size_inches()[0] == 4.2
    plots.save(figure, tmp_path / "model.png")
    figure.canvas.draw()
    width, height = figure.get_size_inches()
    for text in axes.texts:  # nothing leaves the paper
        place = text.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
        assert min(place.x0, place.y0) >= 0 and place.x1 <= width and place.y1 <= height


def test_of_a_run_or_a_model_with_its_tokenizer(finished_run, tmp_path):
    found = diagram(finished_run)
    assert found.name == finished_run.name
    found.to_csv(tmp_path / "model.csv")
    with open(tmp_path / "model.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["parameters"]) for row in rows) == found.parameters
    model = linear().model
    assert diagram((model, TOKENIZER)).frames == diagram(model).frames
