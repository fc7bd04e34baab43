"""Which models the families describe, and what is said of those that they have no words for."""

from pathlib import Path

import pytest

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan, family_of
from jaxgpt.huggingface.save import describe
from jaxgpt.models import presets
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer

REFERENCES = Path(__file__).parent / "references"


def small(name, changes):
    """The family of a stored model, and our description of the model with other fields."""
    directory = Directory(REFERENCES / name)
    return family_of(directory.config, name), replaced(Plan.of(directory, None, {}).config, changes)


def refusal(family, config):
    """What is said of a model that a family cannot hold."""
    with pytest.raises(ValueError, match="a model of type") as caught:
        describe(family, config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("gpt2", {"norm_bias": False}, "norm_bias=False"),
        ("gpt2", {"norm": "rms"}, "norm=rms"),
        ("gpt2", {"attention.maps": "none"}, "attention.maps=none"),
        ("openai-gpt", {"attention.bias": False}, "attention.bias=False"),
        ("bart", {"attention.bias": False}, "attention.bias=False"),
        ("bart-text-labels", {"pooler": False}, "pooler=False"),
        ("gptj", {"norm_bias": False}, "norm_bias=False"),
        ("gpt_neox", {"norm_bias": False}, "norm_bias=False"),
        ("opt", {"norm_bias": False}, "norm_bias=False"),
        ("bert", {"segments": 0}, "segments=0"),
        ("bert", {"head.bias": False}, "head.bias=False"),
        ("bert-text-labels", {"labels_bias": False}, "labels_bias=False"),
        ("roberta", {"segments": 0}, "segments=0"),
        ("albert", {"segments": 0}, "segments=0"),
        ("albert", {"embedding.width": None}, "embedding.width=None"),
        (
            "transfo_xl",
            {"embedding.kind": "free", "embedding.cutoffs": (), "embedding.cutoff_factor": 1},
            "embedding.kind=free",
        ),
    ],
)
def test_a_model_that_lacks_a_weight_of_the_family_is_refused_by_field(name, changes, told):
    family, config = small(name, changes)
    assert refusal(family, config) == f"a model of type {type(family).kind()} cannot have {told}"


@pytest.mark.parametrize(
    ("name", "changes"),
    [("bert", {"head.transform": False, "head.bias": False}), ("bart-text-labels", {"head.weights": "tied"})],
)
def test_logits_are_not_lost_where_the_files_have_no_place_for_them(name, changes):
    family, config = small(name, changes)
    assert refusal(family, config).endswith("cannot have head.weights=tied")


def test_a_preset_without_biases_is_no_gpt2():
    config = replaced(presets.named("nanogpt_cpu"), {"vocab_size": 65})
    family = family_of({"model_type": "gpt2"}, "family")
    assert refusal(family, config) == (
        "a model of type gpt2 cannot have attention.bias=False, attention.out_bias=False, mlp.bias=False, "
        "norm_bias=False"
    )


CHUNKS = {"chunk": 4, "local_chunk": 5, "buckets": (2, 4)}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        # How it is trained and computed, and limits that a file has no field for.
        ("gpt2", {}, {"embedding.std": 1.0}),
        ("t5", {}, {"marks": 5}),
        ("llama", {}, {"attention.kernel": "explicit"}),
        ("transfo_xl", {}, {"max_length": 64}),
        ("transfo_xl", {}, {"segment": 4}),
        # One model in two ways.
        ("llama", {}, {"norm_bias": False}),
        ("llama", {"position": Rotary()}, {"position": Rotary(trained_length=16, low=2.0, high=8.0)}),
        ("gpt_neox", {"position": Rotary()}, {"position": Rotary(rotary_dim=16)}),
        ("phi3", {"position": Rotary()}, {"position": Rotary(rotary_dim=6)}),
        (
            "gptj",
            {"position": Rotary(rotary_dim=8, pairing="interleaved")},
            {"position": Rotary(pairing="interleaved")},
        ),
        (
            "gemma3_text",
            {"position": Rotary(theta=500.0), "window_position": Rotary(theta=500.0)},
            {"window_position": None},
        ),
        ("longformer", {"sparse": Longformer((4, 4))}, {"sparse": Longformer((4,))}),
        (
            "reformer",
            {"sparse": Reformer(layers=("local", "lsh", "local"), **CHUNKS)},
            {"sparse": Reformer(layers=("local", "lsh"), **CHUNKS)},
        ),
        (
            "reformer",
            {"position": Axial(rows=6, columns=5, row_features=12)},
            {"position": Axial(rows=6, columns=5)},
        ),
    ],
)
def test_what_does_not_change_the_outputs_does_not_change_the_description(name, one, other):
    family, first = small(name, one)
    assert describe(family, first) == describe(family, replaced(first, other))


def test_positions_that_a_family_has_not_are_still_told_apart():
    family, config = small("llama", {"position": Rotary(rotary_dim=4)})
    assert "cannot have position=Rotary(theta=10000.0, rotary_dim=4" in refusal(family, config)
    family, config = small("gpt_neo", {"window_position": NoPosition()})
    assert "cannot have window_position=NoPosition(" in refusal(family, config)
    family, config = small("transfo_xl", {"memory": 7})
    assert refusal(family, config).endswith("cannot have window=9")


def test_a_transformer_xl_without_memory_is_described():
    found = describe(*small("transfo_xl", {"memory": None, "window": None}))
    assert (found["mem_len"], found["same_length"]) == (0, False)


@pytest.mark.parametrize(
    ("window", "gemma", "neo"), [(None, "full_attention", "global"), (5, "sliding_attention", "local")]
)
def test_without_window_layers_all_have_the_window_or_none_has(window, gemma, neo):
    plain = {"window": window, "window_layers": (), "window_position": None}
    for name in ("gemma2", "gemma3_text"):
        family, config = small(name, plain)
        assert describe(family, config)["layer_types"] == [gemma] * config.num_layers
    family, config = small("gpt_neo", plain)
    assert describe(family, config)["attention_types"] == [[[neo] * config.num_layers, 1]]


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("gemma", {"mlp.activation": "relu"}, "mlp.activation=relu has no hidden_act; known: "),
        ("gemma2", {"mlp.activation": "gelu"}, "mlp.activation=gelu has no hidden_activation; known: "),
        (
            "gemma3_text",
            {"window_position": NoPosition()},
            "a model of type gemma3_text has window_position=rotary, not none",
        ),
    ],
)
def test_a_value_that_a_gemma_has_no_word_for_is_refused_by_field(name, changes, told):
    with pytest.raises(ValueError, match="has") as caught:
        describe(*small(name, changes))
    assert str(caught.value).startswith(told) and "\n" not in str(caught.value)
