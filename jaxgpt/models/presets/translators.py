"""Small encoder-decoders to compare: recurrent without attention, with it, and a Transformer.

For 2,048 tokens each has about 281,000 weights.
"""

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.models.presets.encoder_decoders import transformer_base
from jaxgpt.models.presets.recurrent import rnn_search


def small_rnn_search() -> ModelConfig:
    """Our small RNNsearch (Bahdanau et al. 2015, arXiv 1409.0473): GRUs of width 64 and additive attention.

    Source and target share one embedding, tied to the head.
    """
    return replaced(rnn_search(), {"d_model": 64, "max_length": 64, "head.weights": "tied", "dropout": 0.2})


def small_rnn_encdec() -> ModelConfig:
    """Our small RNNencdec, as Bahdanau et al. 2015 call it (Cho et al. 2014, arXiv 1406.1078): no attention.

    Its width of 90 gives it as many weights as `small_rnn_search`. One wide layer predicts held-out sentences
    better than three of width 64, which would be as many weights, too.
    """
    return replaced(small_rnn_search(), {"mixer": GRU(), "d_model": 90})


def small_transformer() -> ModelConfig:
    """Our small Transformer of 2017 (Vaswani et al. 2017): 2 + 2 layers of width 64, MLPs of width 96.

    Norms stand before the layers, where they are easier to train.
    """
    small = {"d_model": 64, "num_layers": 2, "num_heads": 4, "d_ff": 96, "max_length": 64, "dropout": 0.2}
    return replaced(transformer_base(), small | {"wiring": "pre", "embedding.scale": 8.0})
