"""Presets: published sizes, published choices, a source each, and names that run nothing else."""

import inspect
import math
import re

import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from test_architectures import NAMES

from jaxgpt.core.choice import FieldError
from jaxgpt.models import ModelConfig, Transformer, presets
from jaxgpt.tokenizers.vocabulary import Vocabulary


def parameters(config):
    """How many numbers a model has, without computing one."""
    model = nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(model)))


def with_vocabulary(name, size):
    """The preset for so many ids, an encoder's mask among them."""
    return presets.named(name).for_vocabulary(Vocabulary([str(i) for i in range(size)], mask_id=3))


@pytest.mark.parametrize(
    ("name", "vocabulary", "count"),
    [
        ("gpt1", 40478, 116_534_784),
        ("gpt2", 50257, 124_439_808),
        pytest.param("gpt2_medium", 50257, 354_823_168, marks=pytest.mark.thorough),
        pytest.param("gpt2_large", 50257, 774_030_080, marks=pytest.mark.thorough),
        pytest.param("gpt2_xl", 50257, 1_557_611_200, marks=pytest.mark.thorough),
        pytest.param("gpt3_small", 50257, 125_226_240, marks=pytest.mark.thorough),
        pytest.param(
            "gpt3_xl", 50257, 1_315_723_264 + 24 * 4 * 2048 * 1024 + 24 * 3 * 1024, marks=pytest.mark.thorough
        ),  # heads of 128, see below
        pytest.param("gpt3", 50257, 174_604_259_328, marks=pytest.mark.thorough),
        ("gptj", 50400, 6_050_882_784),
        pytest.param("llama2_7b", 32000, 6_738_415_616, marks=pytest.mark.thorough),
        pytest.param("qwen2_500m", 151_936, 494_032_768, marks=pytest.mark.thorough),
        ("qwen3_600m", 151_936, 596_049_920),
        pytest.param(
            "opt_125m", 50_272, 125_239_296 - 2 * 768, marks=pytest.mark.thorough
        ),  # without two unused positions
        ("pythia_160m", 50_304, 162_322_944),
        pytest.param("olmo2_7b", 100_352, 7_298_617_344, marks=pytest.mark.thorough),
        pytest.param("distilbert_base", 30_522, 66_985_530, marks=pytest.mark.thorough),
        pytest.param("phi3_mini", 32_064, 3_821_079_552, marks=pytest.mark.thorough),
        ("gemma_2b", 256_000, 2_506_172_416),
        ("bert_base", 30522, 109_514_298),
        pytest.param("bert_large", 30522, 335_174_458, marks=pytest.mark.thorough),
        pytest.param(
            "xlm_roberta_base", 250_002, 278_295_186 - 2 * 768, marks=pytest.mark.thorough
        ),  # without two unused positions
        pytest.param(
            "bart_base", 50265, 139_420_416 - 2 * 2 * 768, marks=pytest.mark.thorough
        ),  # without two unused positions in either stack
        pytest.param("bart_large", 50265, 406_291_456 - 2 * 2 * 1024, marks=pytest.mark.thorough),
        ("t5_small", 32128, 60_506_624),
        pytest.param("t5_base", 32128, 222_903_552, marks=pytest.mark.thorough),
        pytest.param("t5_v1_1_small", 32128, 76_961_152, marks=pytest.mark.thorough),
        pytest.param("mt5_small", 250_112, 300_176_768, marks=pytest.mark.thorough),
        ("longformer_base", 50265, 148_711_257 - 2 * 768),  # without two unused positions
        ("transformer_xl", 267_735, 285_205_322),
        ("nanogpt_baby", 65, 10_745_088),
        ("nanogpt_cpu", 65, 804_096),
    ],
)
def test_published_parameter_counts(name, vocabulary, count):
    assert parameters(with_vocabulary(name, vocabulary)) == count


def test_transformer_base_has_65_million_parameters():
    # Table 3 says 65e6 for a shared vocabulary of about 37,000.
    count = parameters(with_vocabulary("transformer_base", 37_000))
    d, f = 512, 2048
    attention, mlp, norm = 4 * (d * d + d), d * f + f + f * d + d, 2 * d
    layers = 6 * (attention + mlp + 2 * norm) + 6 * (2 * attention + mlp + 3 * norm)
    assert count == 37_000 * d + layers == 63_082_496
    assert round(count / 65e6, 1) == 1.0


def test_our_sizes_are_what_their_docstrings_say():
    assert 0.09e6 < parameters(with_vocabulary("tiny", 14)) < 0.11e6
    assert 0.95e6 < parameters(with_vocabulary("small", 14)) < 1.1e6


@pytest.mark.parametrize("name", presets.functions())
def test_every_preset_names_its_source(name):
    document = inspect.getdoc(presets.functions()[name])
    assert re.search(r"\b(20\d\d|karpathy/\w+|[Oo]ur (small|smallest)\b)", document), document
    assert presets.functions()[name]().vocab_size == 0  # the tokenizer's


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in presets.functions() if name not in NAMES])
def test_every_other_preset_builds(name):
    """Those of tests/test_architectures.py are trained there."""
    config = with_vocabulary(name, 20)
    model = nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))
    tokens = jax.ShapeDtypeStruct((2, 5), jnp.int32)
    source = {"source": tokens} if config.kind == "encoder_decoder" else {}
    graph, state = nnx.split(model)
    output = jax.eval_shape(lambda s, t, given: nnx.merge(graph, s)(t, **given), state, tokens, source)
    assert output.logits.shape == (2, 5, 20)


def test_names_are_the_presets_and_nothing_else():
    assert list(presets.functions()) == [
        *("albert_base", "albert_xxlarge", "bart_base", "bart_large", "bert_base", "bert_large", "char_gru"),
        *("char_lstm", "distilbert_base", "gemma2_2b", "gemma3_1b", "gemma_2b", "gpt1", "gpt2"),
        *("gpt2_large", "gpt2_medium", "gpt2_xl", "gpt3", "gpt3_small", "gpt3_xl", "gptj", "llama2_7b"),
        *("longformer_base", "makemore", "makemore_bag_of_words", "makemore_bigram", "makemore_gru"),
        *("makemore_mlp", "makemore_rnn"),
        *("mt5_small", "nanogpt_baby", "nanogpt_cpu", "olmo2_7b", "opt_125m", "phi3_mini", "pythia_160m"),
        *("qwen2_500m", "qwen3_600m", "reformer_enwik8", "rnn_search", "seq2seq", "small"),
        *("small_encoder_decoder", "small_rnn_encdec", "small_rnn_search", "small_transformer", "t5_base"),
        *("t5_small", "t5_v1_1_small", "tiny", "transformer_base"),
        *("transformer_xl", "xlm_roberta_base"),
    ]


@pytest.mark.parametrize("name", ["gpt2-medium", "gpt2_medium"])
def test_hyphens_and_underscores(name):
    assert presets.named(name) == presets.functions()["gpt2_medium"]() == ModelConfig.from_text(name)


def own_preset() -> ModelConfig:
    return ModelConfig(d_model=32)


def takes_something(width) -> ModelConfig:
    raise AssertionError("called")


def says_nothing():
    raise AssertionError("called")


def lies() -> ModelConfig:
    return "a model"


def test_a_preset_of_ones_own():
    assert presets.named(f"{__name__}:own_preset") == own_preset()


@pytest.mark.parametrize("name", ["takes_something", "says_nothing", "TEXT"])
def test_what_is_no_preset_is_not_called(name):
    with pytest.raises(FieldError):
        presets.named(f"{__name__}:{name}")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-2", "no preset is called 'gpt_2'; did you mean gpt2"),
        ("named", "no preset is called 'named'; known: albert_base"),
        ("os:abort", "'os:abort' is no function that takes nothing and is annotated -> ModelConfig"),
        ("nowhere.at.all:thing", "'nowhere.at.all:thing': no module named 'nowhere' can be imported"),
        ("__import__('os')", "no preset is called"),
    ],
)
def test_errors(name, expected):
    with pytest.raises(FieldError) as error:
        presets.named(name)
    assert str(error.value).startswith(expected) and "\n" not in str(error.value)


def test_a_function_that_does_not_keep_its_word():
    with pytest.raises(FieldError, match="lies' returned a str, not a ModelConfig"):
        presets.named(f"{__name__}:lies")
