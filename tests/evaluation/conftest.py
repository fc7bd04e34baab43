"""A small task, its models, and a `complete` that looks answers up."""

import functools

import pytest
from evaluation_tasks import Doubles
from flax import nnx

from jaxgpt import generation
from jaxgpt.core.nested import made
from jaxgpt.evaluation import scoring as evaluate
from jaxgpt.models import ModelConfig, Transformer
from jaxgpt.tokenizers.characters import Characters


@pytest.fixture(autouse=True)
def little_training(monkeypatch):
    """Where a test gives no training examples, few are drawn."""
    monkeypatch.setattr(evaluate, "TRAINING_EXAMPLES", 200)


@pytest.fixture
def task():
    return Doubles()


@pytest.fixture(scope="session")
def tokenizer():
    return Characters.from_spec([], lambda: ["0123456789=abcdefgh \n"])


@pytest.fixture(scope="session")
def build(tokenizer):
    """Builds a tiny model over the tokenizer; equal ones once."""

    @functools.cache
    def build(seed: int = 0, **fields) -> Transformer:
        config = made(
            ModelConfig, **({"d_model": 16, "num_heads": 2, "num_layers": 1, "max_length": 24} | fields)
        )
        return Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(seed))

    return build


@pytest.fixture
def oracle(monkeypatch):
    """Replaces generation: `oracle.answer(seed index, prompt)` answers; calls are in `oracle.calls`."""

    class Oracle:
        def __init__(self):
            self.calls = []
            self.answer = lambda seed, prompt: str(2 * int(prompt[:-1]))

        def complete(self, model, tokenizer, prompts, *, progress=None, **options):
            self.calls.append((prompts, options))
            if progress is not None:
                progress(len(prompts) // 2, len(prompts))
                progress(len(prompts), len(prompts))
            return [[self.answer(len(self.calls) - 1, prompt)] for prompt in prompts]

    fake = Oracle()
    monkeypatch.setattr(generation, "complete", fake.complete)
    monkeypatch.setattr(evaluate, "row_likelihoods", lambda *_, **__: {})  # tested apart, slow to compile
    return fake
