"""Each field of a `config.json` changed alone is obeyed or refused as `field_outcomes.json` has it.

What transformers makes of the same is compared in test_huggingface_fields_live.py.
"""

import json
from pathlib import Path

import perturbing
import pytest

from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan

REFERENCES = Path(__file__).parent / "references"
KEPT = perturbing.read()
TYPES = {
    name: json.loads((REFERENCES / name / "config.json").read_text())["model_type"]
    for name in perturbing.BASES
}
ALIASES = {name: Family.named(kind).aliases for name, kind in TYPES.items()}


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
    assert {kind.replace("-", "_") for kind in TYPES.values()} == set(Family.names())
    assert set(KEPT) == {"4", "5"}
    assert set(KEPT["4"]) == set(perturbing.BASES)
    assert set(KEPT["5"]) == set(perturbing.BASES) - {"transfo_xl"}


@pytest.mark.parametrize("name", [name for name in perturbing.BASES if ALIASES[name]])
def test_a_field_counts_under_its_other_name(name, shapes):
    config = KEPT["4"][name]["config"]
    before = perturbing.ours(config, shapes[name])
    for alias, own in ALIASES[name].items():
        if own in config:
            moved = {key: value for key, value in config.items() if key not in (own, alias)}
            assert perturbing.ours(moved | {alias: config[own]}, shapes[name]) == before
            for other in (config[own] + 1, float(config[own])):  # of which a number of layers is none
                told = f"{own}=.* and {alias}=.* are one field; leave {alias} out"
                with pytest.raises(ValueError, match=told):
                    perturbing.ours(moved | {alias: config[own], own: other}, shapes[name])
