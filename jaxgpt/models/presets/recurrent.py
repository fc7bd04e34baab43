"""What came before attention: recurrent models, and makemore's smallest ones."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers.concat import ConcatMixer
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.models.mixers.lstm import LSTM
from jaxgpt.models.mixers.mean import MeanMixer
from jaxgpt.models.mixers.none import NoMixer
from jaxgpt.models.mixers.rnn import RNN
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.none import NoPosition


def char_lstm() -> ModelConfig:
    """karpathy/char-rnn's default: an LSTM of 2 layers of width 128 over characters (its README, train.lua).

    Characters have vectors here, where char-rnn has one-hot inputs; it reads 50 of them at once.
    """
    return ModelConfig(
        mixer=LSTM(),
        max_length=128,
        num_layers=2,
        d_model=128,
        position=NoPosition(),
        norm="none",
        head=HeadConfig(weights="separate", bias=True),
        init_std=None,
        residual_init="plain",
    )


def char_gru() -> ModelConfig:
    """The same of GRU layers (Cho et al. 2014, arXiv 1406.1078)."""
    return dataclasses.replace(char_lstm(), mixer=GRU())


def seq2seq() -> ModelConfig:
    """Sequence to sequence without attention (Sutskever et al. 2014, arXiv 1409.3215, section 3.4).

    4 + 4 LSTM layers of width 1000; the decoder begins with the encoder's last states.
    """
    return replaced(
        char_lstm(),
        {"kind": "encoder_decoder", "num_layers": 4, "d_model": 1000, "num_heads": 1, "head.bias": False},
    )


def rnn_search() -> ModelConfig:
    """RNNsearch (Bahdanau et al. 2015, arXiv 1409.0473, section 4.2): a GRU of width 1000 that attends.

    The source is read from both sides. The paper's vectors of words have width 620, here 1000.
    """
    return dataclasses.replace(seq2seq(), mixer=GRU(additive=True), num_layers=1)


def makemore_bigram() -> ModelConfig:
    """karpathy/makemore's bigram model: the next character from the last one alone.

    Its table of logits is a product of two here, which is any table where the vocabulary is below 64.
    """
    return replaced(makemore_rnn(), {"mixer": NoMixer(), "head.bias": False})


def makemore_mlp() -> ModelConfig:
    """karpathy/makemore's MLP (after Bengio et al. 2003): the last 16 characters through one layer of 64."""
    return dataclasses.replace(makemore_rnn(), mixer=ConcatMixer(window=16))


def makemore_rnn() -> ModelConfig:
    """karpathy/makemore's RNN: one layer of width 64.

    Deviation: its state begins at zero, where makemore's is learned; it has PyTorch's two biases. Embeddings
    start from N(0, 1), as makemore's: from N(0, 1/64) its models learn more slowly. The other weights start
    from N(0, 1/fan_in), in place of PyTorch's default uniform.
    """
    return replaced(char_lstm(), {"mixer": RNN(), "num_layers": 1, "d_model": 64, "embedding.std": 1.0})


def makemore_gru() -> ModelConfig:
    """karpathy/makemore's GRU: one layer of width 64.

    Deviation: its reset gate acts behind the hidden map, as in PyTorch, where makemore's stands before it, as
    in Cho et al. 2014; its state begins at zero, where makemore's is learned.
    """
    return dataclasses.replace(makemore_rnn(), mixer=GRU())


def makemore_bag_of_words() -> ModelConfig:
    """karpathy/makemore's bag of words: the mean of the characters so far, then an MLP of 64."""
    return replaced(
        makemore_rnn(),
        {
            "mixer": MeanMixer(),
            "d_ff": 64,
            "position": Learned(),
            "mlp.activation": "tanh",
        },
    )
