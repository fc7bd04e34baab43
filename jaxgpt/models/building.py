"""The parts of a stack as a `ModelConfig` describes them."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from jaxgpt.nn.attention.layer import Attention
from jaxgpt.nn.block import Block
from jaxgpt.nn.linear import Linear, WeightSpec, normal
from jaxgpt.nn.mlp import MLP
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.position import Position, Table
from jaxgpt.nn.sparse import Sparse

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


def build_block(
    config: "ModelConfig", role: str, depth: int, position: Position, rngs: nnx.Rngs, index: int = 0
) -> Block:
    """Block `index` of a stack that applies `depth` of them in all."""
    # Radford et al. 2019, section 2.3: weights into the residual stream shrink with its layers.
    weights = weight_spec(config, (2 * depth) ** -0.5 if config.residual_init == "scaled" else 1.0)

    def attention(tables: dict[str, Table], sparse: Sparse | None) -> Attention:
        layer = config.resolved_attention
        heads = (config.num_heads, layer.num_kv_heads) if layer.qk_norm_over == "all" else (1, 1)
        return Attention(
            layer,
            config.d_model,
            config.num_heads,
            qk_norms=tuple(build_norm(config, layer.head_dim * n) for n in heads) if layer.qk_norm else None,
            tables=build_tables(config, tables, rngs),
            shared_keys=sparse is not None and sparse.shares_keys(index),
            sees_all=sparse is not None and sparse.sees_all,
            weights=weights,
            rngs=rngs,
        )

    has_cross = config.kind == "encoder_decoder" and role == "decoder"
    num_norms = {"parallel": 1, "sandwich": 2 * (2 + has_cross)}.get(config.wiring, 2 + has_cross)
    own = position.layer_tables(
        d_model=config.d_model, num_heads=config.num_heads, head_dim=config.resolved_head_dim
    )
    return Block(
        attention=attention(own, config.sparse),
        cross=attention({}, None) if has_cross else None,
        mlp=MLP(config.mlp, config.d_model, config.resolved_d_ff, weights=weights, rngs=rngs),
        norms=[build_norm(config) for _ in range(num_norms)],
        wiring=config.wiring,
        rate=config.dropout,
    )


def weight_spec(config: "ModelConfig", out_gain: float = 1.0) -> WeightSpec:
    """How a model's weights are drawn, and in which types it computes."""
    return WeightSpec(config.init_std, out_gain, config.dtype, config.param_dtype)


def build_tables(config: "ModelConfig", tables: dict[str, Table], rngs: nnx.Rngs) -> dict[str, nnx.Param]:
    """The learned arrays of a position scheme."""
    return {
        name: normal(
            rngs.params(),
            table.shape,
            config.embedding_std if table.std is None else table.std,
            table.axes,
            config.param_dtype,
        )
        for name, table in sorted(tables.items())
    }


def build_widening(config: "ModelConfig", rngs: nnx.Rngs) -> Linear:
    """The map from narrow embeddings into the residual stream (Lan et al. 2020, section 3.1)."""
    return Linear(
        {None: config.resolved_embedding_width},
        {"embed": config.d_model},
        std=config.init_std,
        bias=True,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        rngs=rngs,
    )


def build_norm(config: "ModelConfig", width: int | None = None) -> Norm:
    """A norm of the model's kind."""
    return Norm(
        width or config.d_model,
        kind=config.norm,
        epsilon=config.norm_epsilon,
        bias=config.norm_bias,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
    )


def stack_blocks(blocks: list[Block]) -> Block:
    """One block whose arrays have a leading layer dimension."""
    graph, first = nnx.split(blocks[0])
    rest = [nnx.state(block) for block in blocks[1:]]
    return nnx.merge(graph, jax.tree.map(lambda *leaves: jnp.stack(leaves), first, *rest))
