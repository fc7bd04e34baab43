"""GPT-NeoX (Black et al. 2022, arXiv 2204.06745); Pythia (Biderman et al. 2023, arXiv 2304.01373)."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface import rope
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.rotary import Rotary


@dataclasses.dataclass(frozen=True)
class GPTNeoX(Family):
    """Parallel sublayers, a norm for each; rotary positions on part of each head."""

    architecture = "GPTNeoXForCausalLM"
    position = Rotary
    prefix = "gpt_neox."
    tokens = "embed_in.weight"
    head = "embed_out.weight"
    tied = False
    renamed = {r"^lm_head\.weight$": "embed_out.weight"}
    ignored = {
        r"(gpt_neox\.)?layers\.\d+\.attention\.(bias|masked_bias)": "the causal mask, which is computed",
        r"(gpt_neox\.)?layers\.\d+\.attention\.rotary_emb\.inv_freq": "rotary waves, which are computed",
    }

    fields = (
        Field("vocab_size", "vocab_size", 50432),
        Field("max_position_embeddings", "max_length", 2048),
        Field("num_hidden_layers", "num_layers", 44),
        Field("hidden_size", "d_model", 6144),
        Field("num_attention_heads", "num_heads", 64),
        Field("intermediate_size", "d_ff", 24576),
        Field("layer_norm_eps", "norm_epsilon", 1e-5),
        Field("hidden_act", "mlp.activation", "gelu", ACTIVATIONS),
        Field("use_parallel_residual", "wiring", True, {True: "parallel_apart", False: "pre"}),
        Field("attention_bias", "attention.bias", True),
        Field("attention_bias", "attention.out_bias", True),
        Field("hidden_dropout", "dropout", 0.0),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields)
        width = found["d_model"] // max(found["num_heads"], 1)
        fields = dict(given.fields)
        # Base and part have names of their own here; what version 4 writes by others' names is not read.
        for name in ("rope_theta", "partial_rotary_factor"):
            fields.pop(name, None)
        if "rotary_emb_base" in fields:
            fields["rope_theta"] = fields.pop("rotary_emb_base")
        position = rope.read_partial(
            Given(fields, given.source, given.tensors), width, name="rotary_pct", part=0.25
        )
        return made(ModelConfig, position=position, residual_init="plain", **found)

    def describe(self, config: ModelConfig) -> dict:
        found = rope.partial_fields(config.position, config.resolved_head_dim, name="rotary_pct")
        found["rotary_emb_base"] = found.pop("rope_theta")
        return super().describe(config) | found

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".embed_in.weight", "embedding.table")
        for i in range(config.num_layers):
            theirs, ours = f".layers.{i}", f"decoder.blocks.{i}"
            yield from norm(f"{theirs}.input_layernorm", f"{ours}.norms.0")
            yield from norm(f"{theirs}.post_attention_layernorm", f"{ours}.norms.1")
            maps = [f"{ours}.attention.{name}" for name in ("query", "key", "value")]
            key = f"{theirs}.attention.query_key_value"
            yield Entry(f"{key}.weight", tuple(f"{name}.kernel" for name in maps), "linear_by_head")
            if config.attention.bias:
                yield Entry(f"{key}.bias", tuple(f"{name}.bias" for name in maps), "vector_by_head")
            out = config.attention.out_bias
            yield from linear(f"{theirs}.attention.dense", f"{ours}.attention.out", bias=out, inputs=2)
            yield from linear(f"{theirs}.mlp.dense_h_to_4h", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.mlp.dense_4h_to_h", f"{ours}.mlp.down")
        yield from norm(".final_layer_norm", "decoder.norm")
