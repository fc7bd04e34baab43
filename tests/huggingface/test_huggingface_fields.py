"""Each field of a `config.json` changed alone is obeyed or refused as `field_outcomes.json` has it.

What transformers makes of the same is compared in test_huggingface_fields_live.py.
"""

import json
from pathlib import Path

import perturbing
import pytest

from jaxgpt.huggingface.families import gpt2
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan

REFERENCES = Path(__file__).parent / "references"
KEPT = perturbing.read()


@pytest.fixture(scope="module")
def shapes():
    """Of the tensors of each model, which are the same in each version."""

    def found(name):
        directory = Directory(REFERENCES / name)
        plan = Plan.of(directory, None, {})
        return {plain: directory.tensors[name].shape for plain, name in plan.names.items()}

    return {name: found(name) for name in perturbing.BASES}


@pytest.mark.parametrize(
    ("version", "name"), [(version, name) for version in KEPT for name in sorted(KEPT[version])]
)
def test_every_field_is_obeyed_or_refused_as_recorded(version, name, shapes):
    kept = KEPT[version][name]
    before = perturbing.ours(kept["config"], shapes[name])
    assert kept["fields"]
    for field, cases in kept["fields"].items():
        for value, expected in cases:
            config = perturbing.changed(kept["config"], field, value)
            try:
                found = perturbing.difference(before, perturbing.ours(config, shapes[name]))
            except ValueError as error:
                assert "\n" not in str(error) and str(error).startswith("config.json: ")
                found = "refused"
            assert found == expected, f"{field}={json.dumps(value)}"


def test_every_family_and_version_is_recorded():
    families = {
        json.loads((REFERENCES / name / "config.json").read_text())["model_type"].replace("-", "_")
        for name in perturbing.BASES
    }
    assert families == {name for name in Family.names()}
    assert set(KEPT) == {"4", "5"}
    assert set(KEPT["4"]) == set(perturbing.BASES)
    assert set(KEPT["5"]) == set(perturbing.BASES) - {"transfo_xl"}


def test_a_field_counts_under_its_other_name(shapes):
    config = KEPT["5"]["gpt2"]["config"]
    assert gpt2.GPT2.aliases["num_attention_heads"] == "n_head"
    found = perturbing.ours(config | {"num_attention_heads": 2}, shapes["gpt2"])
    assert found["num_heads"] == 2
