"""The parts of a stack as a `ModelConfig` describes them."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from jaxgpt.nn.attention.layer import Attention
from jaxgpt.nn.block import Block
from jaxgpt.nn.linear import Linear, normal
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
    shared = {
        "std": config.init_std,
        # Radford et al. 2019, section 2.3: weights into the residual stream shrink with its layers.
        "out_gain": (2 * depth) ** -0.5 if config.residual_init == "scaled" else 1.0,
        "dtype": config.dtype,
        "param_dtype": config.param_dtype,
        "rngs": rngs,
    }

    def attention(tables: dict[str, Table], sparse: Sparse | None) -> Attention:
        width, groups = config.resolved_head_dim, config.num_kv_heads or config.num_heads
        whole = config.qk_norm_over == "all"
        normed = [width * heads for heads in (config.num_heads, groups)] if whole else [width, width]
        return Attention(
            config.d_model,
            num_heads=config.num_heads,
            num_kv_heads=groups,
            head_dim=width,
            scale=config.attention_scale,
            factor=config.attention_factor,
            softcap=config.attention_softcap,
            qk_norms=tuple(build_norm(config, size) for size in normed) if config.qk_norm else None,
            qk_norm_over=config.qk_norm_over,
            tables=build_tables(config, tables, rngs),
            shared_keys=sparse is not None and sparse.shares_keys(index),
            sees_all=sparse is not None and sparse.sees_all,
            bias=config.attention_bias,
            out_bias=config.attention_out_bias,
            dropout=config.resolved_attention_dropout,
            **shared,
        )

    has_cross = config.kind == "encoder_decoder" and role == "decoder"
    num_norms = {"parallel": 1, "sandwich": 2 * (2 + has_cross)}.get(config.wiring, 2 + has_cross)
    own = position.layer_tables(
        d_model=config.d_model, num_heads=config.num_heads, head_dim=config.resolved_head_dim
    )
    return Block(
        attention=attention(own, config.sparse),
        cross=attention({}, None) if has_cross else None,
        mlp=MLP(
            config.d_model,
            config.resolved_d_ff,
            activation=config.activation,
            bias=config.mlp_bias,
            **shared,
        ),
        norms=[build_norm(config) for _ in range(num_norms)],
        wiring=config.wiring,
        rate=config.dropout,
    )


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
