"""Each field of a `config.json` changed alone: what is computed is what transformers computes, or nothing."""

import perturbing
import pytest

from jaxgpt.huggingface.family import Family

transformers = pytest.importorskip("transformers")
small_models = pytest.importorskip("small_models")
perturbed = pytest.importorskip("perturbed")

pytestmark = pytest.mark.transformers

HERE = [name for name in perturbing.BASES if name in small_models.AVAILABLE]


@pytest.mark.parametrize("name", HERE)
@pytest.mark.filterwarnings("ignore")
def test_every_field_is_obeyed_or_refused(name, tmp_path):
    model = perturbed.Perturbed(name, tmp_path)
    kept = perturbing.read()[perturbed.VERSION][name]["fields"]
    wrong = []
    for field, value in model.cases():
        outcome = model.outcome(field, value)
        if outcome.wrong or [value, outcome.kept] not in kept.get(field, []):
            wrong.append(f"{field}={value!r}: {outcome}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", HERE)
def test_what_a_file_does_not_say_is_what_it_is_in_transformers(name):
    architecture = getattr(transformers, small_models.MODELS[name].architecture)
    default = architecture.config_class()
    family = Family.named(default.model_type)()
    for field in family.fields:
        theirs = getattr(default, field.theirs, field.default)
        if field.default is None:  # it follows from others
            heads = default.num_attention_heads
            assert theirs in (None, heads, default.num_hidden_layers, default.hidden_size // heads)
        else:
            assert theirs == field.default, field.theirs
        assert family.by_own_names({field.theirs: 1}) == {field.theirs: 1}
    assert type(default).attribute_map.items() <= family.aliases.items()
