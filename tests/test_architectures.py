"""Every architecture of docs/architectures.md: it trains, writes or fills in, and is exported."""

import re
from pathlib import Path

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from variants import often

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.load import family_of
from jaxgpt.huggingface.save import describe
from jaxgpt.models import presets
from jaxgpt.models.mixers.concat import ConcatMixer
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer
from jaxgpt.objectives.inferred import inferred
from jaxgpt.tokenizers.vocabulary import Vocabulary

#: The presets of the table, made small by the fields that their size is in.
SMALL = {
    "d_model": 16,
    "num_heads": 2,
    "attention.num_kv_heads": None,
    "attention.head_dim": None,
    "d_ff": 24,
    "max_length": 24,
}
CHANGES = {
    "gptj": {"position": Rotary(rotary_dim=4, pairing="interleaved")},
    "phi3_mini": {"window": 4},
    "pythia_160m": {"position": Rotary(rotary_dim=4)},
    "gemma2_2b": {"window": 4},
    "gemma3_1b": {"window": 4},
    "gpt3_small": {"window": 4},
    "albert_base": {"embedding.width": 8},
    "longformer_base": {"sparse": Longformer((4,))},
    "transformer_xl": {"memory": 5, "segment": 3, "embedding.cutoffs": (4, 8), "embedding.cutoff_factor": 2},
    "reformer_enwik8": {
        "position": Axial(rows=4, columns=6),
        "sparse": Reformer(chunk=4, local_chunk=4, buckets=(2,)),
    },
    "makemore_mlp": {"mixer": ConcatMixer(window=4)},
}
#: Two where they differ or share; one tells as much of the others and is compiled in half the time.
LAYERS = dict.fromkeys(("albert_base", "gemma2_2b", "gemma3_1b", "gpt3_small", "longformer_base"), 2)
NAMES = (
    *("transformer_base", "gpt1", "gpt2", "gpt3_small", "gptj", "bert_base", "albert_base", "bart_base"),
    *("t5_small", "t5_v1_1_small", "longformer_base", "transformer_xl", "reformer_enwik8", "llama2_7b"),
    *("qwen3_600m", "gemma_2b", "gemma2_2b", "gemma3_1b", "char_lstm", "char_gru", "seq2seq", "rnn_search"),
    *("makemore_bigram", "makemore_mlp", "makemore_bag_of_words", "makemore_rnn", "makemore_gru"),
    *("qwen2_500m", "xlm_roberta_base", "mt5_small", "phi3_mini", "opt_125m", "pythia_160m", "olmo2_7b"),
    "distilbert_base",
)
#: A decoder, a recurrent network and a perceptron. That the other layers are what their papers say is tested
#: without training, in tests/models and tests/huggingface.
EVERY_TIME = ("gpt2", "char_lstm", "makemore_mlp")


def config(name):
    """The preset, small, for a vocabulary of 12 ids."""
    base = presets.named(name)
    loops = {"loops": 2} if base.loops > 1 else {}
    layers = {"num_layers": LAYERS.get(name, 1)}
    changes = SMALL | layers | loops | CHANGES.get(name, {}) | {"dropout": 0.0, "attention.dropout": 0.0}
    if base.embedding.scale != 1:
        changes["embedding.scale"] = 4.0
    return replaced(base, changes | {"init_std": None}).for_vocabulary(
        Vocabulary([str(i) for i in range(12)])
    )


def batch(kind, rng):
    """Rows `1 a b c 2` with c = a for even b, else b: the bigram sees half of what it takes."""
    a, b = rng.integers(3, 12, (2, 32))
    c = np.where(b % 2 == 0, a, b)
    one, two = np.ones_like(a), np.full_like(a, 2)
    if kind == "encoder_decoder":
        found = {"source": np.stack([a, b, two], 1), "source_length": 3 * one}
        return found | {"tokens": np.stack([one, c, two], 1), "start": one, "length": 3 * one}
    return {"tokens": np.stack([one, a, b, c, two], 1), "start": 3 * one, "length": 5 * one}


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(NAMES, EVERY_TIME))
def test_it_trains(name):
    kind = config(name)
    graph, state = nnx.split(Transformer(kind, rngs=nnx.Rngs(0)))
    rule = optax.adam(1e-2)

    @jax.jit
    def step(state, moments, data):
        def loss(state):
            objective = inferred(kind)
            given = objective.draw(data, kind, None)
            losses, weights = objective.losses(nnx.merge(graph, state), given), objective.weights(given)
            return (losses * weights).sum() / weights.sum()

        value, grads = jax.value_and_grad(loss)(state)
        updates, moments = rule.update(grads, moments)
        return value, optax.apply_updates(state, updates), moments

    rng, moments, losses = np.random.default_rng(0), rule.init(state), []
    for _ in range(120):
        value, state, moments = step(state, moments, batch(kind.kind, rng))
        losses.append(float(value))
    first, last = np.mean(losses[:5]), np.mean(losses[-10:])
    # The answer alone, without the certain end, would cost the half of log 9 to whoever sees only b.
    assert last < 0.6 * first


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(NAMES, EVERY_TIME))
def test_it_writes(name):
    model = Transformer(config(name), rngs=nnx.Rngs(0))
    if model.config.kind == "encoder":
        logits = model(np.asarray([[1, 5, model.config.mask_id, 2]])).logits
        assert logits.shape == (1, 4, model.config.vocab_size)
        return
    source = {"source": [[5, 6], [7]]} if model.config.kind == "encoder_decoder" else {}
    new = jaxgpt.generate(model, [[1, 5], [1]], max_new_tokens=12, **source)
    assert new.shape == (2, 12)
    read = model(np.asarray([[1, *new[1]]]), **({"source": np.asarray([[7]])} if source else {})).logits
    np.testing.assert_array_equal(new[1], read[0, :-1].argmax(-1))


PAGE = Path(__file__).parents[1] / "docs/architectures.md"


def of_page(name):
    """The types of models in a preset's row, and what is to be changed of the preset for one of them."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if len(row) == 3]
    (types,) = [row[2].split(", ") for row in rows if name in row[1].split(", ")]
    changed = [(row[1], row[2]) for row in rows if row[0] == name]
    if not changed:
        return types, {}
    ((kind, options),) = changed
    assert kind in types
    return [kind], dict(re.findall(r"--model\.(\S+) ([^\s`]+)", options))


def is_written(config, kind):
    try:
        return describe(family_of({"model_type": kind}, "family"), config)["model_type"] == kind
    except ValueError:
        return False


@pytest.mark.parametrize(
    "name",
    often(
        [name for name in NAMES if not name.startswith(("char_", "seq2seq", "rnn_", "makemore_"))],
        ("transformer_base", "gpt3_small", "transformer_xl", "longformer_base", "reformer_enwik8"),
    ),
)
def test_it_is_written_as_a_type_of_its_row(name):
    types, changes = of_page(name)
    small = replaced(config(name), {"d_ff": None})  # GPT's file has no field for it
    if small.head.factor != 1:
        small = replaced(small, {"head.factor": small.d_model**-0.5})
    assert any(is_written(fields.override(small, changes), kind) for kind in types)
    assert not changes or not any(is_written(small, kind) for kind in types)
