"""Samples of the prompts that a task shows in training."""

import dataclasses

import jax.numpy as jnp
import pytest
from flax import nnx

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.runs.sampled import samples
from jaxgpt.task import Task
from jaxgpt.tokenizers.characters import Characters

TOKENIZER = Characters.from_spec([], lambda: ["0123456789"])


@dataclasses.dataclass(frozen=True)
class Prompted(Task):
    """A task with prompts of one, five, seven and nine digits, as they are typed."""

    sample_prompts = ("1", "12345", "1234567", "123456789")


def sevens(kind):
    """A model of eight tokens that writes nothing but 7."""
    config = ModelConfig(
        kind=kind, num_layers=1, d_model=16, num_heads=2, max_length=8, head=HeadConfig(bias=True)
    )
    model = Transformer(config.for_vocabulary(TOKENIZER.vocabulary()), rngs=nnx.Rngs(0))
    (seven,) = TOKENIZER.encode("7")
    model.head_bias[...] = jnp.zeros_like(model.head_bias[...]).at[seven].set(1e4)
    return model


@pytest.mark.parametrize("kind, rooms", [("decoder", (7, 3, 1)), ("encoder_decoder", (8, 8, 8))])
def test_a_sample_has_the_room_of_its_own_prompt_and_one_that_does_not_fit_is_left_out(kind, rooms):
    """A decoder reads bos, the prompt and all that is written but the last; a source is read apart."""
    found = samples(sevens(kind), TOKENIZER, Prompted(), NextToken())
    prompts = ("1", "12345", "1234567")
    assert found == [f"{prompt!r} -> {'7' * room!r}" for prompt, room in zip(prompts, rooms, strict=True)]
