"""Gemma (Gemma Team 2024, arXiv 2403.08295)."""

import dataclasses
import math

from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.huggingface.fields import GATED, Field, Given
from jaxgpt.models.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class Gemma(Llama):
    """Llama with gated GELU, norms that multiply by 1 + scale, and embeddings times sqrt(d_model)."""

    architecture = "GemmaForCausalLM"
    tied = True
    fields = (
        Field("vocab_size", "vocab_size", 256000),
        Field("max_position_embeddings", "max_length", 8192),
        Field("num_hidden_layers", "num_layers", 28),
        Field("hidden_size", "d_model", 3072),
        Field("num_attention_heads", "num_heads", 16),
        Field("num_key_value_heads", "num_kv_heads", 16),
        Field("head_dim", "head_dim", 256),
        Field("intermediate_size", "d_ff", 24576),
        Field("rms_norm_eps", "norm_epsilon", 1e-6),
        Field("attention_bias", "attention_bias", False),
        Field("attention_bias", "attention_out_bias", False),
        Field("attention_dropout", "attention_dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    #: Files say `hidden_activation`; old ones `hidden_act`, which was read as the tanh form in any case.
    activation = Field("hidden_activation", "activation", "gelu_pytorch_tanh", GATED, nullable=True)

    def config(self, given: Given) -> ModelConfig:
        named = given.fields.get("hidden_activation") or "gelu_pytorch_tanh"
        found = Given({"hidden_activation": named}, given.source).read([self.activation])
        config = super().config(given)
        return dataclasses.replace(
            config, norm="rms_plus_one", mlp_bias=False, embedding_scale=math.sqrt(config.d_model), **found
        )

    def describe(self, config: ModelConfig) -> dict:
        (name,) = [theirs for theirs, ours in GATED.items() if ours == config.activation][:1]
        return super().describe(config) | {"hidden_activation": name, "hidden_act": name}
