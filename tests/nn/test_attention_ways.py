"""Every way to compute attention is dense attention under the mask that says what it sees."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.nn.attention import masks
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.attention.banded import Band, banded
from jaxgpt.nn.attention.cache import KeyValue, Stored
from jaxgpt.nn.attention.dense import dense
from jaxgpt.nn.attention.hashed import Hashes, hash_buckets, hashed
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.attention.layer import Attention
from jaxgpt.nn.document_order import order_of
from jaxgpt.nn.kernels import fused
from jaxgpt.nn.linear import WeightSpec
from jaxgpt.nn.position import Position
from jaxgpt.nn.sparse.base import Blocks, Hashing

B, T, H, G, K = 2, 23, 4, 2, 6
RNG = np.random.default_rng(4)
Q, KEY, VALUE = (jnp.asarray(RNG.normal(size=(B, T, n, K)), jnp.float32) for n in (H, G, G))
ORDER = jnp.broadcast_to(jnp.arange(T), (B, T))
CONFIG = AttentionConfig(num_kv_heads=G, head_dim=K, softcap=2.0, factor=1.5, dropout=0.0)


def inputs(sees, position="alibi", config=CONFIG):
    """Of tokens in order, with a bias of the position scheme."""
    return AttentionInputs(config, Position.named(position)(), {}, ORDER, ORDER, sees)


def close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def by_hand(mask):
    """softmax over the keys of a mask, by NumPy in float64."""
    q, k, v = (np.asarray(x, np.float64) for x in (Q, KEY, VALUE))
    k, v = (np.repeat(x, H // G, axis=2) for x in (k, v))
    bias = np.asarray(inputs(None).bias(Q, KEY), np.float64)
    scores = 1.5 * 2 * np.tanh((np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K) + bias) / 2)
    scores = np.where(np.asarray(mask)[:, None], scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhts,bshk->bthk", weights / weights.sum(-1, keepdims=True), v)


@pytest.mark.parametrize("kept", [False, True], ids=["as made", "as a cache keeps them"])
def test_dense_is_its_formula(kept):
    kv = KeyValue(KEY, VALUE)
    mask = masks.causal()(ORDER, ORDER)
    close(jax.jit(lambda: dense(Q, Stored.of(kv) if kept else kv, inputs(mask)))(), by_hand(mask))


def test_attention_without_maps_mixes_the_tokens_themselves():
    config = AttentionConfig(maps="none", num_kv_heads=H, head_dim=K, dropout=0.0)
    layer = Attention(config, H * K, H, weights=WeightSpec(0.02), rngs=nnx.Rngs(0))
    assert not nnx.state(layer, nnx.Param)
    x = RNG.normal(size=(B, T, H * K))
    found, _ = layer(jnp.asarray(x, jnp.float32), inputs(masks.causal()(ORDER, ORDER), "none", config))
    heads = x.reshape(B, T, H, K)
    scores = np.einsum("bthk,bshk->bhts", heads, heads) / np.sqrt(K)
    weights = np.exp(scores) * np.tri(T)
    weights /= weights.sum(-1, keepdims=True)
    close(found, np.einsum("bhts,bshk->bthk", weights, heads).reshape(B, T, H * K))


@pytest.mark.thorough
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("cut", ["whole", "padded", "documents"])
def test_banded_is_dense_under_a_window(causal, cut):
    blocks = Blocks(4, 1, 0 if causal else 1, reach=3)
    rule = masks.causal() if causal else masks.full()
    order, documents = ORDER, None
    if cut == "padded":
        order = jnp.where(jnp.asarray([[T], [17]]) > ORDER, ORDER, -1)
    if cut == "documents":
        documents = jnp.asarray(np.repeat([[1, 2, 3], [1, 2, 3]], [[9, 3, 11], [2, 13, 8]][0], axis=1))
        order = order_of(documents)
    mask = (rule & masks.window(4, 3))(order, order)
    if documents is not None:
        mask = mask & (documents[:, :, None] == documents[:, None, :])
    band = Band.of(blocks, rule, order, ORDER, None, documents)
    found = jax.jit(lambda: banded(Q, KeyValue(KEY, VALUE), inputs(band)))()
    real = np.asarray(order >= 0)
    close(np.asarray(found)[real], np.asarray(dense(Q, KeyValue(KEY, VALUE), inputs(mask)))[real])


def seen_by_hash(shared, hashing):
    """Which keys stand in a query's chunk, or in the one before, once all are sorted by their hashes."""
    length = shared.shape[1]
    if length <= hashing.size:
        return jnp.ones((B, H, length, length), bool)
    found = hash_buckets(jnp.moveaxis(shared, 2, 1), hashing, None)[:, :, 0]  # [B, H, S]
    chunk = jnp.argsort(jnp.argsort(found, axis=-1, stable=True), axis=-1) // hashing.size
    behind = (chunk[..., :, None] - chunk[..., None, :]) % (length // hashing.size)
    return behind <= 1


@pytest.mark.thorough
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("size", [32, 4], ids=["one chunk", "chunks"])
def test_hashed_is_dense_under_the_mask_that_the_hashes_select(causal, size):
    length = 24  # of whole chunks
    hashing = Hashing(size=size, before=1, after=0, rounds=1, buckets=(4,), seed=0)
    shared, value = (jnp.asarray(RNG.normal(size=(B, length, H, K)), jnp.float32) for _ in range(2))
    order = jnp.broadcast_to(jnp.arange(length), (B, length))
    hashes = Hashes(hashing, order, None, causal)
    plain = dataclasses.replace(CONFIG, num_kv_heads=H, softcap=None, factor=1.0, scale=1.0)
    own = dataclasses.replace(inputs(hashes, "none", plain), q_positions=order, k_positions=order)
    found = jax.jit(lambda: hashed(shared, KeyValue(shared, value), own))()
    # Keys are queries of length 1; a token meets itself only where it meets no other.
    keys = shared / jnp.sqrt(jnp.mean(shared**2, axis=-1, keepdims=True) + 1e-6) / np.sqrt(K)
    seen = seen_by_hash(shared, hashing) & (order[:, None, None, :] >= 0)  # [B, H, S, S]
    if causal:
        seen = seen & (order[:, None, :, None] >= order[:, None, None, :])
    itself = jnp.eye(length, dtype=bool)
    seen = jnp.where((seen & ~itself).any(-1, keepdims=True), seen & ~itself, itself)
    for head in range(H):
        one = (shared[:, :, head : head + 1], keys[:, :, head : head + 1], value[:, :, head : head + 1])
        masked = dataclasses.replace(own, sees=seen[:, head])
        expected = dense(one[0], KeyValue(one[1], one[2]), masked)
        close(found[:, :, head : head + 1], expected, 1e-4)


@pytest.mark.parametrize("window", [None, 5])
def test_one_kernel_is_dense_under_its_triangle(window, monkeypatch):
    """JAX's own implementation stands in the kernel's place."""
    monkeypatch.setattr(fused, "KERNEL", "xla")
    plain = dataclasses.replace(CONFIG, softcap=None, factor=1.0, scale=0.3)
    mask = masks.causal() if window is None else masks.causal() & masks.window(window)
    found = fused.fused(Q, KeyValue(KEY, VALUE), inputs(fused.Triangle(window), "none", plain))
    close(found, dense(Q, KeyValue(KEY, VALUE), inputs(mask(ORDER, ORDER), "none", plain)))
