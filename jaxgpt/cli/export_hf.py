"""`jaxgpt export-hf`: a run's model as a directory that transformers reads."""

import argparse
from collections.abc import Callable

from jaxgpt.cli.option_types import path
from jaxgpt.cli.options import COMMON, Parser, add_checkpoint, add_common
from jaxgpt.cli.process import say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.huggingface.save import save_hf
from jaxgpt.runs.run import load

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "export-hf",
        "RUN --family TYPE --output DIR [--OPTION VALUE ...]",
        description="Write a run's model, of the first seed, as a directory that transformers reads.",
    )
    parser.add_argument("run", metavar="RUN", type=path, help="a run directory, such as runs/addition")
    parser.add_argument("--family", metavar="TYPE", required=True, help="the model_type, such as gpt2")
    parser.add_argument("--output", metavar="DIR", type=path, required=True, help="the directory to write")
    add_checkpoint(parser)
    parser.add_argument(
        "--tokenizer",
        metavar="READER",
        default="transformers",
        help="transformers: files that AutoTokenizer reads, or an error; jaxgpt: one that jaxgpt alone reads "
        "(default: %(default)s)",
    )
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Start JAX and write."""
    start_jax(given.distributed)
    export_hf(given, say)
    return 0


def export_hf(given: argparse.Namespace, say: Say) -> None:
    """Write a run's model, of the first seed, for transformers to read.

    Raises:
      ValueError: as `save_hf`.
    """
    makeable(given.output, name="--output")
    run = load(given.run, checkpoint=given.checkpoint)
    save_hf(run.model, given.output, family=given.family, tokenizer=run.tokenizer, reader=given.tokenizer)
    say(f"written: {given.output}")
