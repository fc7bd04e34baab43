"""What stands in `jaxgpt`: few arguments each, and help that shows them."""

import inspect
import pickle
import pydoc
import re

import jax
import pytest
from flax import nnx

import jaxgpt


@pytest.mark.parametrize("name", [n for n in jaxgpt.__all__ if not inspect.isclass(getattr(jaxgpt, n))])
def test_no_call_takes_more_than_ten_arguments(name):
    assert len(inspect.signature(getattr(jaxgpt, name)).parameters) <= 10


@pytest.mark.thorough
def test_help_on_the_model_begins_with_its_arguments_and_an_example():
    text = pydoc.render_doc(jaxgpt.Transformer, renderer=pydoc.plaintext)
    call = re.search(r"Transformer\(\W*config:", text).start()  # newer Pythons break the line
    example = text.index("model = jaxgpt.Transformer(config, rngs=")
    assert call < example < text.index("Args:") < 800
    config = jaxgpt.ModelConfig(vocab_size=16, d_model=32, num_heads=2, num_layers=2)
    model = jaxgpt.Transformer(config, rngs=nnx.Rngs(0))
    logits = jax.eval_shape(model, jax.numpy.zeros((1, 8), int)).logits
    assert logits.shape == (1, 8, 16)
    assert next(iter(inspect.signature(model).parameters)) == "tokens"  # of a call, not of the class
    assert isinstance(pickle.loads(pickle.dumps(model)), jaxgpt.Transformer)  # noqa: S301 - our own


def test_functions_are_functions_whatever_was_imported():
    import jaxgpt.comparison.page
    import jaxgpt.evaluation.scoring
    import jaxgpt.training.trainer

    for name in ("compare", "evaluate", "generate", "load", "train"):
        assert inspect.isfunction(getattr(jaxgpt, name)), name
