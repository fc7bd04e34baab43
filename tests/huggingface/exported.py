"""Small models with tokenizers of ours, for the tests of exports with and without transformers."""

import functools
import random

from flax import nnx

import jaxgpt
from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.position.sinusoidal import Sinusoidal
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.tokenizer import Tokenizer

TRAINED_ON = [
    "The sum of 12 and 34 is 46,\nthe sum of 120 and 7 is 127.\n\n  It's 1,000 more; naïve? – yes ☃\n",
    "9+71421=03417\n12345678+90=12345768\n5 - 3 = 2, (7)-12*x_y/E\n",
    "the thousand things that the other thought of, and then another (thing): a.x\n",
    "<|endoftext|> and <s>strike</s> and <pad> stand in this text <|endoftext|> <|endoftext|>\n",
]


def _texts():
    """Those, some made to be hard, and random ones."""
    rng = random.Random(0)
    alphabet = "".join(sorted(set("".join(TRAINED_ON))))
    hard = [
        "",
        "7",
        "12 3  4",
        "1234567",
        "0012 a  5 6 _7__8 ",
        "\u2581 a▁1",
        "  ",
        "a\r\n\t1",
        "☃☃ 9",
        "é12345 x☃",
    ]
    hard += ["the the  12the", "<|eos|>", "5_3 7__4", "the <0x41> and <0xE2><unk><s><pad>", "12+34=", "7=\n"]
    mixed = ["".join(rng.choices(alphabet, k=rng.randint(1, 40))) for _ in range(100)]
    return TRAINED_ON + hard + mixed + ["".join(rng.choices("0123456789 _+,a", k=20)) for _ in range(100)]


TEXTS = _texts()
#: Those that the `tokenizers` library can express, and some that it cannot.
TOKENIZERS = (
    *("characters", "digits", "digits:2:left", "digits:3:right", "whole", "digits:2:right:whole"),
    *(
        "bytes",
        "digits:3:left:bytes",
        "bpe:300",
        "bpe:400",
        "digits:1:right:bpe:320",
        "digits:3:right:bpe:400",
    ),
    *("sentencepiece:350", "sentencepiece:350:bpe", "sentencepiece:350:unigram:keep_digits"),
    *("digits:3:right:sentencepiece:350", "digits:2:left:sentencepiece:350:bpe"),
    *("spaced", "spaced:bpe:300", "spaced:sentencepiece:350", "spaced:digits", "underscore:bpe:400"),
    *("subset:characters", "subset:digits:3:right:bytes", "subset:bpe:400", "digits:4:right:bytes"),
)
UNEXPRESSED = ("fixed:9", "p1000", "words", "10e", "digits:2:right:spaced")
ENCODER_DECODERS = ("t5", "bart", "marian")


@functools.lru_cache
def built(spec: str) -> Tokenizer:
    """A tokenizer of ours."""
    return build(spec, lambda: TRAINED_ON)


def model_for(tokenizer: Tokenizer, family: str, seed: int = 0) -> jaxgpt.Transformer:
    """A small model of a family that reads the tokenizer's ids."""
    size = {"num_layers": 1, "d_model": 16, "num_heads": 2, "max_length": 40, "residual_init": "plain"}
    both = {"kind": "encoder_decoder", "num_layers": 1, "encoder_layers": 1}
    bert = {
        "kind": "encoder",
        "wiring": "post",
        "embedding.norm": True,
        "mlp.activation": "gelu",
        "segments": 2,
    }
    fields = {
        "gpt2": {"position": Learned()},
        "llama": {"position": Rotary(), "norm": "rms", "mlp.activation": "swiglu"}
        | {
            "attention.bias": False,
            "attention.out_bias": False,
            "mlp.bias": False,
            "head.weights": "separate",
        },
        "t5": both
        | {"position": Relative(), "norm": "rms", "attention.scale": 1.0, "mlp.activation": "relu"}
        | {"attention.bias": False, "attention.out_bias": False, "mlp.bias": False, "head.factor": 0.25},
        "bart": both
        | {"position": Learned(), "wiring": "post", "embedding.norm": True, "mlp.activation": "gelu"},
        "marian": both | {"position": Sinusoidal(layout="split"), "wiring": "post", "mlp.activation": "gelu"},
        "bert": bert | {"position": Learned(), "head.bias": True, "head.transform": True},
        "roberta": bert | {"position": Learned(), "head.bias": True, "head.transform": True},
    }[family]
    config = made(ModelConfig, **size | fields)
    config = config.for_vocabulary(tokenizer.vocabulary())
    return jaxgpt.Transformer(config, rngs=nnx.Rngs(seed))
