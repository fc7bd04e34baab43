"""The same against transformers itself, on fresh random models, where it and torch are installed."""

import jax
import numpy as np
import pytest
from computing import dtype, exactly, ours
from flax import nnx

from jaxgpt.generation import beam_search, generate
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
small_models = pytest.importorskip("small_models")

pytestmark = [
    pytest.mark.transformers,
    # Of version 4, about an argument of its own.
    pytest.mark.filterwarnings("ignore:The output of TransfoXL:DeprecationWarning"),
]


@pytest.fixture(params=small_models.AVAILABLE)
def made(request, tmp_path):
    """A model of transformers with parameters of another seed, what it is given, and its directory."""
    model = small_models.build(request.param, seed=1)
    model.save_pretrained(tmp_path / "theirs")
    return model, small_models.inputs(model, seed=1), tmp_path


def largest(found, expected):
    """The largest difference over the largest value."""
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()


def test_outputs(made):
    model, given, path = made
    kept, tolerance = dtype(given)
    with exactly(given):
        found = ours(load_hf(path / "theirs", dtype=kept).model, given)
    for name, expected in small_models.outputs(model, given).items():
        assert largest(found[name], expected) < tolerance, name


def test_exported_directories_load_with_the_same_outputs(made):
    model, given, path = made
    save_hf(load_hf(path / "theirs").model, path / "ours", family=model.config.model_type)
    config = transformers.AutoConfig.from_pretrained(path / "ours")
    family = getattr(transformers, config.architectures[0])
    again = family.from_pretrained(path / "ours", attn_implementation="eager").eval()  # as the others are
    expected, found = small_models.outputs(model, given), small_models.outputs(again, given)
    for name in expected.keys() & found.keys():
        assert largest(found[name], expected[name]) < 2e-5, name


def test_continuations(made):
    model, given, path = made
    expected = small_models.continuations(model, given)
    if not expected:
        pytest.skip("it writes no text")
    loaded = load_hf(path / "theirs")
    prompts, options = given["tokens"], {}
    if "source" in given:
        prompts = np.full((2, 1), model.config.decoder_start_token_id)
        options = {"source": given["source"]}
    count = expected["greedy"].shape[1]
    found = generate(loaded.model, prompts, max_new_tokens=count, **options)
    np.testing.assert_array_equal(found, expected["greedy"])
    if "beams" not in expected:
        return
    beams = beam_search(loaded.model, prompts, width=3, max_new_tokens=count, **options)
    np.testing.assert_array_equal(beams.tokens[:, 0], expected["beams"])


@pytest.mark.parametrize("name", small_models.AVAILABLE)
def test_bfloat16_has_the_same_first_choice(name, tmp_path):
    """As float32 has, wherever its first two lie further apart than transformers errs in bfloat16."""
    model = small_models.build(name, seed=1, std=0.1)  # larger weights make rounding chaotic
    model.save_pretrained(tmp_path / "theirs")
    given = small_models.inputs(model, seed=1)
    if "rotations" in given:
        pytest.skip("which tokens hash alike is decided by rounding")
    expected = small_models.outputs(model, given).get("logits")
    if expected is None:
        pytest.skip("it has no logits")
    loaded = load_hf(tmp_path / "theirs", dtype="bfloat16").model
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(nnx.state(loaded))} == {"bfloat16"}
    found = np.asarray(ours(loaded, given)["logits"])
    theirs = small_models.outputs(model.to(torch.bfloat16), given)["logits"]
    second, first = np.sort(expected, axis=-1)[..., -2:].transpose(2, 0, 1)
    clear = first - second > 2 * np.abs(theirs - expected).max(-1)
    assert clear.any()
    assert (found.argmax(-1) == expected.argmax(-1))[clear].mean() >= 0.99
    assert np.abs(found - expected).mean() < 2 * np.abs(theirs - expected).mean()
