"""Recurrent models, bag of words, concatenated words and bigrams, against their definitions in numpy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxgpt
from jaxgpt.core.nested import made, replaced
from jaxgpt.models import presets
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers.concat import ConcatMixer
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.models.mixers.lstm import LSTM
from jaxgpt.models.mixers.mean import MeanMixer
from jaxgpt.models.mixers.none import NoMixer
from jaxgpt.models.mixers.rnn import RNN
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position import Position
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.randomized import Randomized
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.recurrent_cells import Cell
from jaxgpt.nn.tap import identity, recorder
from jaxgpt.tokenizers.vocabulary import Vocabulary

NAMES = (
    *("char_lstm", "char_gru", "seq2seq", "rnn_search"),
    *("makemore_bigram", "makemore_mlp", "makemore_bag_of_words", "makemore_rnn"),
)
RNG = np.random.default_rng(0)
TOKENS, SOURCE = RNG.integers(3, 20, (2, 9)), RNG.integers(3, 20, (2, 6))


def config(name, **changes):
    """A preset made small."""
    base = presets.named(name)
    layers = {"rnn_search": 2, "seq2seq": 2}.get(name, base.num_layers)
    small = dataclasses.replace(base, d_model=16, num_heads=2, d_ff=None, num_layers=layers)
    if isinstance(base.mixer, ConcatMixer):
        small = dataclasses.replace(small, mixer=ConcatMixer(window=4))
    return replaced(small, changes).for_vocabulary(Vocabulary([str(i) for i in range(20)]))


def build(name, **changes):
    model = Transformer(config(name, **changes), rngs=nnx.Rngs(0))
    graph, state = nnx.split(model)
    rng = np.random.default_rng(1)
    return nnx.merge(graph, jax.tree.map(lambda v: v + 0.3 * rng.standard_normal(v.shape).astype("f"), state))


def source_of(model):
    """The source of an encoder-decoder, as arguments."""
    return {"source": SOURCE} if model.config.kind == "encoder_decoder" else {}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(cell, x, h, c):
    """One layer over x [T, I], gate by gate."""
    outputs = []
    for vector in x:
        gates = [
            vector @ np.asarray(cell.input.kernel[...])[:, k]
            + cell.input.bias[k]
            + h @ np.asarray(cell.hidden.kernel[...])[:, k]
            + cell.hidden.bias[k]
            for k in range(4)
        ]
        c = sigmoid(gates[1]) * c + sigmoid(gates[0]) * np.tanh(gates[2])
        h = sigmoid(gates[3]) * np.tanh(c)
        outputs.append(h)
    return np.asarray(outputs), h, c


def gru_step(cell, vector, h):
    given = np.einsum("i,igd->gd", vector, cell.input.kernel[...]) + cell.input.bias[...]
    own = np.einsum("i,igd->gd", h, cell.hidden.kernel[...]) + cell.hidden.bias[...]
    r, z = sigmoid(given[0] + own[0]), sigmoid(given[1] + own[1])
    return (1 - z) * np.tanh(given[2] + r * own[2]) + z * h


def gru(cell, x, h):
    outputs = []
    for vector in x:
        h = gru_step(cell, vector, h)
        outputs.append(h)
    return np.asarray(outputs), h


def rnn(cell, x, h):
    """One layer over x [T, I]: both maps as one of input and state side by side, as makemore has it."""
    parts = (np.asarray(part.kernel[...])[:, 0] for part in (cell.input, cell.hidden))
    both, bias = np.concatenate([*parts]), np.asarray(cell.input.bias[...] + cell.hidden.bias[...])[0]
    outputs = []
    for vector in x:
        h = np.tanh(np.concatenate([vector, h]) @ both + bias)
        outputs.append(h)
    return np.asarray(outputs), h


@pytest.mark.parametrize("name", ["char_lstm", "char_gru", "makemore_rnn"])
def test_layers_are_their_definition(name):
    model = build(name)
    hidden = np.asarray(model(TOKENS).hidden)
    for row in range(2):
        x = np.asarray(model.embedding.table[...])[TOKENS[row]]
        for cell in model.decoder.blocks:
            zero = np.zeros(16)
            layer = {"char_lstm": lstm, "char_gru": gru, "makemore_rnn": rnn}[name]
            x = layer(cell, x, *[zero] * (1 + (layer is lstm)))[0]
        np.testing.assert_allclose(hidden[row], x, atol=1e-5)


def test_a_decoder_begins_with_what_the_encoder_ended_with():
    model = build("seq2seq")
    hidden = np.asarray(model(TOKENS, source=SOURCE).hidden)
    table = np.asarray(model.embedding.table[...])
    x, states = table[SOURCE[0]], []
    for cell in model.encoder.blocks:
        x, h, c = lstm(cell, x, np.zeros(16), np.zeros(16))
        states.append((h, c))
    y = table[TOKENS[0]]
    for cell, (h, c) in zip(model.decoder.blocks, states, strict=True):
        y = lstm(cell, y, h, c)[0]
    np.testing.assert_allclose(hidden[0], y, atol=1e-5)


@pytest.mark.thorough
def test_attention_by_a_state_is_its_definition():
    model = build("rnn_search", num_layers=1)
    seen, tap = recorder()
    hidden = np.asarray(model(TOKENS, source=SOURCE, tap=tap).hidden)
    table = np.asarray(model.embedding.table[...])
    x = table[SOURCE[0]]
    left, _ = gru(model.encoder.blocks[0], x, np.zeros(16))
    right, first = gru(model.encoder.backwards[0], x[::-1], np.zeros(16))
    notes = np.concatenate([left, right[::-1]], axis=1)
    start, reader = model.encoder.starts[0], model.decoder.blocks[0]
    s = np.tanh(first @ np.asarray(start.kernel[...]) + start.bias[...])

    def linear(map_, x):
        y = x @ np.asarray(map_.kernel[...])
        return y if map_.bias is None else y + np.asarray(map_.bias[...])

    for step, vector in enumerate(table[TOKENS[0]]):
        scores = linear(reader.score, np.tanh(linear(reader.query, s) + linear(reader.key, notes)))[:, 0]
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(seen["decoder.0.attention.weights"][0, 0, step], weights, atol=1e-5)
        context = weights @ notes
        both = linear(reader.out, np.concatenate([s, vector, context]))
        np.testing.assert_allclose(hidden[0, step], both.reshape(16, 2).max(1), atol=1e-5)
        s = gru_step(reader.cell, np.concatenate([vector, context]), s)


@pytest.mark.thorough
def test_a_bag_of_words_is_the_mean_so_far():
    model = build("makemore_bag_of_words")
    block = model.decoder.blocks[0]
    x = np.asarray(model.embedding.table[...])[TOKENS] + np.asarray(model.decoder.tables["table"][...])[:9]
    for step in range(9):
        y = x[:, step] + x[:, : step + 1].mean(1)
        up, down = block.mlp.up, block.mlp.down
        y = y + np.tanh(y @ up.kernel[...] + up.bias[...]) @ down.kernel[...] + down.bias[...]
        np.testing.assert_allclose(model(TOKENS).hidden[:, step], y, atol=1e-5)


def test_a_bag_of_many_words_is_their_mean_in_bfloat16():
    """300 times 1 and 300 times -1, token by token; what a block adds to each is the mean so far."""
    block = build("makemore_bag_of_words", dtype="bfloat16").decoder.blocks[0]
    for part in (block.mlp.down.kernel, block.mlp.down.bias):
        part[...] = jnp.zeros_like(part[...])

    def step(state, x):
        y, state = block(x, jnp.ones((1, 1), bool), state, identity)
        return state, y - x

    ones = jnp.ones((300, 1, 1, 16), jnp.bfloat16)
    _, added = jax.lax.scan(step, block.start(1), jnp.concatenate([ones, -ones]))
    assert added.dtype == jnp.bfloat16
    expected = np.cumsum(np.repeat([1, -1], 300)) / np.arange(1, 601)
    np.testing.assert_allclose(np.asarray(added, np.float64)[:, 0, 0, 3], expected, atol=0.01)


@pytest.mark.thorough
def test_the_last_words_stand_side_by_side_the_newest_first():
    model = build("makemore_mlp")
    table, blank = np.asarray(model.embedding.table[...]), np.asarray(model.decoder.blank[...])
    layer = model.decoder.blocks[0]
    for step in range(9):
        parts = [table[TOKENS[:, step - k]] if step >= k else np.tile(blank, (2, 1)) for k in range(4)]
        wide = np.concatenate(parts, axis=1) @ np.asarray(layer.kernel[...]).reshape(-1, 16)
        np.testing.assert_allclose(model(TOKENS).hidden[:, step], np.tanh(wide + layer.bias[...]), atol=1e-5)


@pytest.mark.parametrize("name", ["makemore_bag_of_words", "makemore_mlp", "makemore_rnn"])
def test_dropout_follows_the_layer(name):
    seen, tap = recorder()
    hidden = np.asarray(build(name, dropout=0.5)(TOKENS, key=jax.random.key(0), tap=tap).hidden)
    layer, kept = np.asarray(seen["decoder.0.residual"]), hidden != 0
    assert 0.3 < kept.mean() < 0.7
    np.testing.assert_allclose(hidden[kept], 2 * layer[kept], rtol=1e-6)
    model = build(name)  # whose rate is 0
    np.testing.assert_array_equal(model(TOKENS, key=jax.random.key(0)).hidden, model(TOKENS).hidden)


def test_a_bigram_model_sees_the_last_token_alone():
    model = build("makemore_bigram")
    logits = np.asarray(model(TOKENS).logits)
    table = np.asarray(model.embedding.table[...]) @ np.asarray(model.head[...])
    np.testing.assert_allclose(logits, table[TOKENS], atol=1e-5)


def test_makemores_embeddings_start_wide_and_its_other_weights_do_not():
    """From N(0, 1), as `torch.nn.Embedding`; maps and the output matrix from N(0, 1/fan_in)."""
    words, last = (
        Transformer(config(name, d_model=64, d_ff=64), rngs=nnx.Rngs(0))
        for name in ("makemore_bag_of_words", "makemore_mlp")
    )
    wide = [words.embedding.table, words.decoder.tables["table"], last.embedding.table, last.decoder.blank]
    assert [float(weights[...].std()) for weights in wide] == pytest.approx([1] * 4, rel=0.3)
    narrow = [words.head, words.decoder.blocks[0].mlp.up.kernel, last.head]
    assert [float(weights[...].std()) for weights in narrow] == pytest.approx([1 / 8] * 3, rel=0.1)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *(pytest.param(name, {}, id=name, marks=pytest.mark.thorough) for name in NAMES),
        # All ids are digits, and the answer begins with no marker.
        pytest.param("seq2seq", {"position": Coupled(marker="19")}, id="seq2seq-coupled"),
    ],
)
def test_token_by_token_is_the_same_as_at_once(name, changes):
    model = build(name, **changes)
    whole = model(TOKENS, **source_of(model)).logits
    cache, parts = model.init_cache(2, 9), []
    for index in range(9):
        given = source_of(model) if index == 0 else {}
        out = model(TOKENS[:, index : index + 1], cache=cache, **given)
        cache = out.cache
        parts.append(out.logits)
    np.testing.assert_allclose(jnp.concatenate(parts, axis=1), whole, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_padding_on_either_side_changes_nothing(name):
    model = build(name)
    whole = model(TOKENS, **source_of(model)).logits
    order = np.tile(np.r_[[-1] * 3, np.arange(9), [-1] * 2], (2, 1))
    padded = np.concatenate([np.full((2, 3), 5), TOKENS, np.full((2, 2), 6)], axis=1)
    given = source_of(model)
    if given:
        given = {
            "source": np.concatenate([SOURCE, np.full((2, 4), 7)], axis=1),
            "source_order": np.tile(np.r_[np.arange(6), [-1] * 4], (2, 1)),
        }
    found = model(padded, order=order, **given).logits[:, 3:12]
    np.testing.assert_allclose(found, whole, atol=2e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_a_later_token_changes_nothing_before_it(name):
    model = build(name)
    other = TOKENS.copy()
    other[:, 6] = (other[:, 6] + 1) % 20
    a, b = (np.asarray(model(t, **source_of(model)).logits) for t in (TOKENS, other))
    np.testing.assert_array_equal(a[:, :6], b[:, :6])
    assert np.abs(a[:, 6] - b[:, 6]).max() > 1e-4


@pytest.mark.thorough
@pytest.mark.parametrize("name", ("char_lstm", "rnn_search", "makemore_mlp"))
def test_they_write_what_they_would_read(name):
    model = build(name)
    prompts = [[3, 4, 5], [6]]
    given = {"source": [[5, 6, 7], [8]]} if source_of(model) else {}
    new = jaxgpt.generate(model, prompts, max_new_tokens=70, **given)  # more than one chunk
    assert new.shape == (2, 70)
    read = {"source": np.asarray([[8]])} if given else {}
    text = np.asarray([[6, *new[1]]])
    logits = np.asarray(model(text, **read).logits)[0]
    np.testing.assert_array_equal(logits[:-1].argmax(-1), new[1])
    beams = jaxgpt.beam_search(model, prompts, width=2, max_new_tokens=5, **given)
    assert beams.tokens.shape == (2, 2, 5)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ("char_gru", "rnn_search", "makemore_mlp", "makemore_rnn"))
def test_every_weight_learns(name):
    model = build(name)
    graph, state = nnx.split(model)

    def loss(state):
        logits = nnx.merge(graph, state)(TOKENS, **source_of(model)).logits
        return -jax.nn.log_softmax(logits)[..., 3].mean()

    grads = nnx.to_flat_state(jax.grad(loss)(state))
    mute = [".".join(map(str, path)) for path, grad in grads if not np.abs(grad[...]).max() > 0]
    assert mute == []


@pytest.mark.thorough
def test_a_gru_has_a_hidden_bias_that_acts_behind_the_reset_gate():
    cell = Cell("gru", 2, 3, std=1.0, dtype="float32", param_dtype="float32", rngs=nnx.Rngs(0))
    cell.input.bias[...] = cell.input.bias[...].at[0].set(-1e4)  # the reset gate is shut
    x, real, start = jnp.ones((1, 1, 2)), jnp.ones((1, 1), bool), cell.start(1, "float32")
    before, _ = cell(x, real, start)
    cell.hidden.bias[...] = cell.hidden.bias[...].at[2].set(7.0)
    np.testing.assert_array_equal(cell(x, real, start)[0], before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mixer": LSTM(), "kind": "encoder"}, "kind=decoder or encoder_decoder"),
        ({"mixer": MeanMixer(), "kind": "encoder_decoder"}, "kind=decoder, not encoder_decoder"),
        ({"mixer": GRU(additive=True)}, "mixer.additive=true needs kind=encoder_decoder, not decoder"),
        ({"mixer": ConcatMixer(), "window": 3}, "mixer=concat does not go with window=3"),
        ({"mixer": LSTM(), "window": 3}, "window=3"),
        ({"mixer": GRU(), "layers": "scanned"}, "layers=scanned"),
        ({"mixer": LSTM(), "kind": "encoder_decoder", "encoder_layers": 3}, "one each"),
        ({"mixer": LSTM(), "kind": "encoder_decoder", "encoder_heads": 2}, "encoder_heads=2; leave"),
        ({"mixer": LSTM(), "kind": "encoder_decoder", "encoder_d_ff": 9}, "encoder_d_ff=9; leave"),
        ({"mixer": GRU(), "attention.qk_norm": True}, "mixer=gru does not go with attention.qk_norm=True"),
        ({"mixer": RNN(), "attention.softcap": 9.0}, "attention.softcap=9.0"),
        ({"mixer": MeanMixer(), "attention.scale": 1.0}, "attention.scale=1.0"),
        ({"mixer": LSTM(), "attention.factor": 2.0}, "attention.factor=2.0"),
        ({"mixer": LSTM(), "attention.maps": "none"}, "attention.maps=none"),
        ({"mixer": ConcatMixer(), "num_layers": 4}, "num_layers=4: mixer=concat .*; set num_layers=1"),
        ({"mixer": NoMixer(), "num_layers": 4}, "num_layers=4: mixer=none .*; set num_layers=1"),
    ],
)
def test_fields_that_do_not_fit_together_are_named(changes, said):
    with pytest.raises(ValueError, match=said):
        made(ModelConfig, **changes)


@pytest.mark.parametrize(
    "position",
    [
        *(Position.named(name)() for name in ("alibi", "fire", "relative", "transformer_xl")),
        *(Position.named(name)() for name in ("coupled_relative", "coupled_rotary", "learned_relative")),
        Rotary(theta=500.0),
        Randomized(base=Rotary()),
    ],
    ids=lambda position: type(position).kind(),
)
@pytest.mark.parametrize("mixer", [LSTM(), MeanMixer()], ids=lambda mixer: mixer.kind())
def test_positions_of_queries_and_keys_are_refused(mixer, position):
    with pytest.raises(ValueError) as error:
        made(ModelConfig, mixer=mixer, position=position)
    kinds = f"mixer={mixer.kind()} does not go with position={type(position).kind()}, which acts on queries"
    assert str(error.value).startswith(kinds) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["abacus", "axial", "coupled", "learned", "none", "rotary", "sinusoidal"])
def test_positions_of_vectors_and_sizes_of_other_parts_are_taken(name):
    unread = {"num_heads": 2, "d_ff": 9, "mlp.bias": False, "attention.bias": False, "attention.head_dim": 4}
    made(ModelConfig, mixer=LSTM(), position=Position.named(name)(), **unread)
    made(ModelConfig, mixer=LSTM(), position=Randomized(base=Learned()), **unread)


@pytest.mark.parametrize(
    "name", ["char_gru", "seq2seq", "makemore_mlp", "makemore_bag_of_words", "makemore_bigram"]
)
def test_positions_that_the_scheme_has_no_vector_for_are_refused(name):
    model = build(name, position=Axial(rows=2, columns=4))
    model(TOKENS[:, :8], **source_of(model))
    with pytest.raises(ValueError) as error:
        model(TOKENS, **source_of(model))
    assert str(error.value) == (
        "position 8 is beyond position.rows * columns=8; make rows * columns larger or the texts shorter"
    )
