"""Layers of PyTorch, which share no code with transformers' models, as second oracles."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers import Mixer
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.attention.layer import Attention
from jaxgpt.nn.linear import WeightSpec
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.none import NoPosition

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.transformers

PLAIN = ModelConfig(
    vocab_size=20,
    max_length=32,
    num_layers=2,
    d_model=12,
    num_heads=3,
    d_ff=20,
    position=NoPosition(),
    mlp=MLPConfig(activation="relu"),
    init_std=None,
    residual_init="plain",
)


@pytest.fixture(autouse=True)
def exact():
    torch.manual_seed(0)
    with jax.default_matmul_precision("highest"), torch.no_grad():
        yield


def randomized(module):
    for parameter in module.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    return module.eval()


def put(linear, weight, bias):
    """PyTorch's [out, in] and its bias in a map of ours."""
    linear.kernel[...] = jnp.asarray(weight.numpy().T.reshape(linear.kernel.shape))
    if linear.bias is not None:
        linear.bias[...] = jnp.asarray(bias.numpy().reshape(linear.bias.shape))


def put_attention(ours, theirs):
    for part, name in enumerate(("query", "key", "value")):
        rows = slice(12 * part, 12 * (part + 1))
        put(getattr(ours, name), theirs.in_proj_weight[rows], theirs.in_proj_bias[rows])
    put(ours.out, theirs.out_proj.weight, theirs.out_proj.bias)


def put_norm(ours, theirs):
    ours.scale[...], ours.bias[...] = jnp.asarray(theirs.weight.numpy()), jnp.asarray(theirs.bias.numpy())


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_recurrent_layers(kind):
    theirs = randomized(getattr(torch.nn, kind.upper())(12, 12, num_layers=2, batch_first=True))
    config = replaced(PLAIN, {"mixer": Mixer.named(kind)(), "norm": "none", "head.weights": "separate"})
    model = Transformer(config, rngs=nnx.Rngs(0))
    for layer, cell in enumerate(model.decoder.blocks):
        put(cell.input, getattr(theirs, f"weight_ih_l{layer}"), getattr(theirs, f"bias_ih_l{layer}"))
        put(cell.hidden, getattr(theirs, f"weight_hh_l{layer}"), getattr(theirs, f"bias_hh_l{layer}"))
    tokens = np.random.default_rng(0).integers(0, 20, (2, 11))
    x = np.asarray(model.embedding.table[...])[tokens]
    expected = theirs(torch.tensor(x))[0].numpy()
    np.testing.assert_allclose(model(tokens).hidden, expected, atol=1e-5)


def test_multi_head_attention():
    theirs = randomized(torch.nn.MultiheadAttention(12, 3, batch_first=True))
    described = AttentionConfig(num_kv_heads=3, head_dim=4, dropout=0.0)
    ours = Attention(described, 12, 3, weights=WeightSpec(), rngs=nnx.Rngs(0))
    put_attention(ours, theirs)
    x = np.random.default_rng(0).standard_normal((2, 7, 12)).astype("f")
    mask = np.tril(np.ones((7, 7), bool))
    expected = theirs(*[torch.tensor(x)] * 3, attn_mask=torch.tensor(~mask))[0].numpy()
    places = jnp.arange(7)[None]
    inputs = AttentionInputs(described, NoPosition(), {}, places, places, sees=jnp.asarray(mask)[None])
    found, _ = ours(jnp.asarray(x), inputs)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def put_layer(block, layer):
    put_attention(block.attention, layer.self_attn)
    if block.cross is not None:
        put_attention(block.cross, layer.multihead_attn)
    put(block.mlp.up, layer.linear1.weight, layer.linear1.bias)
    put(block.mlp.down, layer.linear2.weight, layer.linear2.bias)
    for index, norm in enumerate(block.norms):
        put_norm(norm, getattr(layer, f"norm{index + 1}"))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("pre", [True, False])
def test_the_transformer(pre):
    theirs = randomized(
        torch.nn.Transformer(12, 3, 2, 2, dim_feedforward=20, norm_first=pre, batch_first=True)
    )
    config = dataclasses.replace(PLAIN, kind="encoder_decoder", wiring="pre" if pre else "post")
    model = Transformer(config, rngs=nnx.Rngs(0))
    for stack, other in ((model.encoder, theirs.encoder), (model.decoder, theirs.decoder)):
        for block, layer in zip(stack.blocks, other.layers, strict=True):
            put_layer(block, layer)
        if pre:
            put_norm(stack.norm, other.norm)
        else:  # its post-norm stacks end in one norm more, which is none of the paper's
            other.norm = torch.nn.Identity()
    rng = np.random.default_rng(0)
    source, tokens = rng.integers(0, 20, (2, 9)), rng.integers(0, 20, (2, 6))
    table = np.asarray(model.embedding.table[...])
    causal = torch.triu(torch.ones(6, 6, dtype=torch.bool), 1)
    expected = theirs(torch.tensor(table[source]), torch.tensor(table[tokens]), tgt_mask=causal).numpy()
    np.testing.assert_allclose(model(tokens, source=source).hidden, expected, atol=2e-5)
