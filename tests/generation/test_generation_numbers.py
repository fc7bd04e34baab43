"""Writing numbers that are one token: what is chosen is what is read next, and text comes out."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from variants import often

from jaxgpt.data.numbers import feature_array
from jaxgpt.generation import Sampling, beam_search, complete, encode_prompts, generate, stream
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import Features
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.number_token import NumberToken
from jaxgpt.tokenizers.tokenizer import Tokenizer

SPECS = {"xval": "xval", "fone": "fone:4", "bittokens": "bittokens"}
PROMPTS = ["12+345=", "7", "98+1=+4"]


@functools.lru_cache
def tokenizer(name) -> Tokenizer:
    return build(SPECS[name], lambda: ["12+345=357", "7+6=13", "ab"])


@functools.lru_cache
def model(name, kind="decoder") -> Transformer:
    """A random model that says a number about every second time."""
    own = tokenizer(name)
    config = ModelConfig(
        kind=kind, max_length=32, d_model=16, num_heads=2, num_layers=1, head=HeadConfig(weights="separate")
    )
    config = config.for_vocabulary(own.vocabulary())
    graph, state = nnx.split(nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0))))
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        name = jax.tree_util.keystr(path)
        return jnp.asarray(
            rng.normal(1.0 if "scale" in name else 0.0, 0.05 if "norm" in name else 0.4, leaf.shape)
        )

    net = nnx.merge(graph, jax.tree_util.tree_map_with_path(draw, state))
    net.head[...] = net.head[...].at[:, own.eos_id].set(0.0)
    return net


def arrays(ids, name):
    own = tokenizer(name)
    tokens = np.zeros((1, 32), np.int32)
    tokens[0, : len(ids)] = ids
    numbers = np.zeros((1, 32, own.number_features), own.feature_type)
    numbers[tokens == own.number_id] = feature_array(ids, own.number_features, own.feature_type)
    return tokens, numbers


@nnx.jit
def call(net, tokens, numbers, source_numbers=None, **given):
    return net(tokens, features=Features(numbers=numbers, source_numbers=source_numbers), **given)


def naive(name, ids, count, kind="decoder", source=None):
    """Greedy decoding that reads everything anew for each token."""
    net, encoding, ids = model(name, kind), model(name, kind).config.number, list(ids)
    given = {}
    if source is not None:
        given["source"], given["source_numbers"] = arrays(source, name)
        given["source_order"] = np.where(np.arange(32) < len(source), np.arange(32), -1)[None]
    start = len(ids)
    for _ in range(count):
        out = call(net, *arrays(ids, name), **given)
        token = int(out.logits[0, len(ids) - 1].argmax())
        if token == encoding.token_id:
            features = np.asarray(encoding.choose(out.numbers[0, len(ids) - 1]))
            token = NumberToken(token, tuple(features.tolist()))
        ids.append(token)
        if token == tokenizer(name).eos_id:
            break
    return ids[start:]


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(SPECS, ("xval",)))
def test_greedy_text_is_that_of_decoding_without_a_cache(name):
    own = tokenizer(name)
    got = complete(model(name), own, PROMPTS, max_new_tokens=12)
    expected = [naive(name, [own.bos_id, *own.encode(p)], 12) for p in PROMPTS]
    assert [own.decode(ids) for ids in expected] == [texts[0] for texts in got]
    assert any(token == own.number_id for ids in expected for token in ids), "no number was written"
    alone = [complete(model(name), own, [p], max_new_tokens=12)[0] for p in PROMPTS]
    assert alone == got


@pytest.mark.thorough
def test_an_encoder_decoder_reads_and_writes_numbers():
    own = tokenizer("fone")
    net = model("fone", "encoder_decoder")
    got = complete(net, own, PROMPTS, max_new_tokens=8)
    prompts, sources = encode_prompts(net, own, PROMPTS)
    expected = [naive("fone", p, 8, "encoder_decoder", s) for p, s in zip(prompts, sources, strict=True)]
    assert [own.decode(ids) for ids in expected] == [texts[0] for texts in got]


@pytest.mark.thorough
@pytest.mark.parametrize("name", SPECS)
def test_generated_ids_can_be_decoded_and_gone_on_with(name):
    own = tokenizer(name)
    ids = [own.bos_id, *own.encode(PROMPTS[0])]
    (whole,) = generate(model(name), [ids], max_new_tokens=9, eos_id=own.eos_id)
    (first,) = generate(model(name), [ids], max_new_tokens=4, eos_id=own.eos_id)
    (rest,) = generate(model(name), [[*ids, *first]], max_new_tokens=5, eos_id=own.eos_id)
    (same,) = generate(model(name), [np.asarray([*ids, *first], object)], max_new_tokens=5, eos_id=own.eos_id)
    assert own.decode(whole) == own.decode([*first, *rest]) == own.decode([*first, *same])


@pytest.mark.thorough
def test_a_stream_a_stop_string_and_samples():
    own, net = tokenizer("bittokens"), model("bittokens")
    ids = [own.bos_id, *own.encode(PROMPTS[0])]
    hot = Sampling(temperature=1.5, num_samples=3, seed=5)
    texts = complete(net, own, PROMPTS, max_new_tokens=12, sampling=hot)
    assert texts == complete(net, own, PROMPTS, max_new_tokens=12, sampling=hot, batch_size=1)
    assert len({text for row in texts for text in row}) > 3
    whole = complete(net, own, PROMPTS[:1], max_new_tokens=12)[0][0]
    assert "".join(stream(net, own, ids, max_new_tokens=12, every=2)) == whole
    stop = whole[len(whole) // 2]
    assert complete(net, own, PROMPTS[:1], max_new_tokens=12, stop=[stop])[0][0] == whole.split(stop)[0]


@pytest.mark.thorough
def test_a_window_that_slides_keeps_its_numbers():
    """What is read again after a slide is the last half of the window, numbers and all."""
    own, net = tokenizer("fone"), model("fone")
    ids = [own.bos_id, *own.encode("12+3=" * 5)]
    (got,) = generate(net, [ids], max_new_tokens=40, overflow="slide")
    expected = []
    context = list(ids)
    while len(expected) < 40:
        new = naive("fone", context, 1)[0]
        expected.append(new)
        # At 32 read tokens the model goes on from the last 16 of them and what it chose.
        context = [*context, new] if len(context) < 32 else [*context, new][-16:]
    assert own.decode(got) == own.decode(expected)


def test_what_cannot_be_done_says_so():
    own, net = tokenizer("fone"), model("fone")
    with pytest.raises(ValueError, match=r"beam search ranks tokens, and number=fone writes"):
        beam_search(net, [[own.bos_id]], width=2, max_new_tokens=3)
    with pytest.raises(ValueError, match="prompts hold the number id 7 without the number's features"):
        generate(net, [[own.bos_id, own.number_id]], max_new_tokens=3)
    other = tokenizer("xval").encode("12")
    with pytest.raises(ValueError, match="a number has 1 features, not 4; was another tokenizer used"):
        generate(net, [[own.bos_id, *other]], max_new_tokens=3)
