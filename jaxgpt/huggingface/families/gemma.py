"""Gemma (Gemma Team 2024, arXiv 2403.08295)."""

import dataclasses
import math

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import GATED, Field, Given, written
from jaxgpt.huggingface.families.llama import Llama
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
        Field("num_key_value_heads", "attention.num_kv_heads", 16),
        Field("head_dim", "attention.head_dim", 256),
        Field("intermediate_size", "d_ff", 24576),
        Field("rms_norm_eps", "norm_epsilon", 1e-6),
        Field("attention_bias", "attention.bias", False),
        Field("attention_bias", "attention.out_bias", False),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    #: The field that counts. `gelu` in it is that of the first official files, which mean the tanh form.
    activation = Field("hidden_act", "mlp.activation", "gelu_pytorch_tanh", GATED | {"gelu": "geglu_tanh"})
    #: A field that other versions of transformers read instead, and that must say the same.
    other = "hidden_activation"

    def config(self, given: Given) -> ModelConfig:
        found = given.read([self.activation])
        other = given.fields.get(self.other)
        if other is not None and found != Given({self.activation.theirs: other}, given.source).read(
            [self.activation]
        ):
            raise ValueError(
                f"{given.source}: {self.other}={other!r} and {self.activation.theirs} differ; "
                f"leave {self.other} out"
            )
        config = super().config(given)
        own = {"norm": "rms_plus_one", "mlp.bias": False, "embedding.scale": math.sqrt(config.d_model)}
        return replaced(config, own | found)

    def describe(self, config: ModelConfig) -> dict:
        name = written([self.activation], config)[self.activation.theirs]
        return super().describe(config) | {"hidden_activation": name, "hidden_act": name}
