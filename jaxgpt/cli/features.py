"""`jaxgpt features`: what a trained model makes of each token of a file's texts, for other tools to read."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jaxgpt.cli.model_directory import opened
from jaxgpt.cli.option_types import path
from jaxgpt.cli.options import COMMON, Parser, add_checkpoint, add_common
from jaxgpt.cli.process import say, start_jax
from jaxgpt.cli.writable import writable
from jaxgpt.core.lines import split_lines
from jaxgpt.core.progress import Counter
from jaxgpt.core.textfile import read_text
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import in_file
from jaxgpt.lab.layer_choice import USAGE
from jaxgpt.lab.subject import Subject
from jaxgpt.lab.text_features import check_ending, text_features, write

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "features",
        "RUN FILE --output FILE [--OPTION VALUE ...]",
        description="Write what a model, of the first seed, makes of each token: frozen features of texts.",
    )
    parser.add_argument(
        "run", metavar="RUN", type=path, help="a run directory, or a directory of transformers"
    )
    parser.add_argument("file", metavar="FILE", type=path, help="one text a line; empty lines are left out")
    parser.add_argument(
        "--output", metavar="FILE", type=path, required=True, help="the .npz or .safetensors file to write"
    )
    parser.add_argument("--layers", metavar="WHICH", default="last", help=f"{USAGE} (default: %(default)s)")
    add_checkpoint(parser)
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Start JAX, read and write."""
    start_jax(given.distributed)
    features(given, say)
    return 0


def features(given: argparse.Namespace, say: Say) -> None:
    """Write the features of a file's texts.

    Raises:
      ValueError: as `text_features`, with the line of the text; for an empty file, an output of another kind.
    """
    output = Path(given.output)
    try:
        check_ending(output)
    except ValueError as error:
        raise UsageError(f"--output {error}") from error
    writable(output, name="--output ")
    lines = {
        number: line
        for number, line in enumerate(split_lines(read_text(given.file)), start=1)
        if line.strip()
    }
    subject = Subject(*opened(given.run, given.checkpoint))
    try:
        found = text_features(
            subject,
            list(lines.values()),
            given.layers,
            names=[f"line {number}" for number in lines],
            progress=Counter("tokens", say),
        )
    except ValueError as error:
        told = str(error)
        raise ValueError(
            f"--{told}" if told.startswith("layers=") else in_file(given.file, f": {told}")
        ) from error
    about = {"layers": given.layers, "model": subject.name, "step": json.dumps(subject.step)}
    write(output, found, about, lines=np.fromiter(lines, np.int32))
    count, width = found.features.shape
    say(f"written: {output}; {count:,} tokens of {len(lines):,} texts, {width:,} features each")
