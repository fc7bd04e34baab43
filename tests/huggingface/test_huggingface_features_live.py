"""Frozen features beside the hidden states that transformers gives of the same directories."""

import numpy as np
import pytest
from exported import built, model_for

from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.lab.captured import hidden_states
from jaxgpt.lab.text_features import text_features

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
small_models = pytest.importorskip("small_models")

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
TEXTS = ["12+34=46", "7", "the sum of 120 and 7"]


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5", "bart"])
def test_all_layers_of_an_exported_model_are_those_of_transformers(family, tmp_path):
    own = built("characters")
    save_hf(model_for(own, family), tmp_path / "hf", family=family, tokenizer=own)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    model = transformers.AutoModel.from_pretrained(tmp_path / "hf").eval()
    loaded = load_hf(tmp_path / "hf")
    found = text_features((loaded.model, loaded.tokenizer), TEXTS, "all").texts()
    reads = model.get_encoder() if model.config.is_encoder_decoder else model
    for text, features in zip(TEXTS, found, strict=True):
        given = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            states = reads(**given, output_hidden_states=True).hidden_states
        expected = torch.cat(states, dim=-1)[0].numpy()
        np.testing.assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["gpt2", "bert", "albert", "gemma2", "opt", "distilbert", "marian"])
def test_all_layers_with_random_weights_are_those_of_transformers(name, tmp_path):
    """Every weight is drawn anew, so that no norm or bias is without effect."""
    theirs = small_models.build(name)
    theirs.save_pretrained(tmp_path / "hf")
    given = small_models.inputs(theirs)
    tokens = given.get("source", given["tokens"])
    reads = theirs.get_encoder() if theirs.config.is_encoder_decoder else theirs
    with torch.no_grad():
        states = reads(torch.tensor(tokens), output_hidden_states=True).hidden_states
    found = hidden_states(load_hf(tmp_path / "hf", dtype="float32").model, tokens)
    assert len(found) == len(states)
    for own, other in zip(found, states, strict=True):
        np.testing.assert_allclose(own, other.numpy(), rtol=1e-4, atol=1e-5 * np.abs(other.numpy()).max())
