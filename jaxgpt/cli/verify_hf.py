"""`jaxgpt verify-hf`: does a model of transformers compute here what it computes there?"""

import argparse
from collections.abc import Callable
from pathlib import Path

from jaxgpt.cli.option_types import path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.cli.process import say, start_jax
from jaxgpt.huggingface import verify
from jaxgpt.huggingface.load import load_hf

#: A larger difference than this share of the largest logit is no rounding.
TOLERANCE = 1e-3

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "verify-hf",
        "DIR [--OPTION VALUE ...]",
        description="Compare a directory's model with stored logits, or with those of transformers.",
    )
    parser.add_argument("directory", metavar="DIR", type=path, help="a directory of transformers")
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=path,
        help="an .npz with tokens, logits and, where the model takes them, source or global_tokens",
    )
    parser.add_argument(
        "--length",
        metavar="N",
        type=whole,
        default=32,
        help="tokens of a text that transformers, where it is installed, is given (default: %(default)s)",
    )
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Compare; status 1 if they differ."""
    start_jax(given.distributed)
    return 0 if verify_hf(given, say) else 1


def verify_hf(given: argparse.Namespace, say: Say) -> bool:
    """Compare a directory's model with stored logits, or with those of transformers.

    Returns:
      Whether they agree.
    """
    source = Path(given.directory)
    loaded = load_hf(source, dtype="float32")
    for name, reason in loaded.audit.ignored.items():
        say(f"ignored {name}: {reason}")
    say(f"read {len(loaded.audit.used)} tensors, ignored {len(loaded.audit.ignored)}")
    if given.reference is not None:
        inputs, expected = verify.stored(Path(given.reference))
    else:
        length = min(given.length, loaded.model.config.max_length)
        inputs, expected = verify.live(source, loaded, length=length)
    agreement = verify.compare(verify.logits(loaded, inputs), expected)
    say(str(agreement))
    agree = agreement.largest < TOLERANCE
    say("they agree" if agree else f"they differ by more than {TOLERANCE:g}")
    return agree
