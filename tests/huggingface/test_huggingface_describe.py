"""Which models the families describe, and what is said of those that they have no words for."""

from pathlib import Path

import pytest

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan, family_of
from jaxgpt.huggingface.save import describe
from jaxgpt.models import presets

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


def test_a_preset_without_biases_is_no_gpt2():
    config = replaced(presets.named("nanogpt_cpu"), {"vocab_size": 65})
    family = family_of({"model_type": "gpt2"}, "family")
    assert refusal(family, config) == (
        "a model of type gpt2 cannot have attention.bias=False, attention.out_bias=False, mlp.bias=False, "
        "norm_bias=False"
    )
