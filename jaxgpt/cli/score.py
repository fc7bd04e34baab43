"""`jaxgpt score`: a model on the tests of GPT-2: last words, words left out, perplexity, choices."""

import argparse
from collections.abc import Callable

from jaxgpt.cli.model_directory import opened
from jaxgpt.cli.option_types import Among, path, whole
from jaxgpt.cli.options import COMMON, Parser, add_checkpoint, add_common
from jaxgpt.cli.process import say, start_jax
from jaxgpt.cli.writable import writable
from jaxgpt.core.usage import UsageError

Say = Callable[[str], None]
#: As in `jaxgpt.evaluation.zero_shot`, whose import would start JAX.
_TASKS = ("lambada", "cbt", "perplexity", "choices")
_DETOKENIZERS = ("none", "wikitext", "ptb", "lm1b")


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "score",
        "MODEL FILE --task NAME [--OPTION VALUE ...]",
        description="Score a model on a file of a published test, as GPT-2 was, without training on it.",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=path, help="a run directory, or a directory of transformers"
    )
    parser.add_argument("file", metavar="FILE", type=path, help="the test, in the form it is published in")
    parser.add_argument(
        "--task",
        metavar="NAME",
        type=Among(*_TASKS),
        required=True,
        help="lambada: last words; cbt: words left out; perplexity: a text; choices: JSON lines",
    )
    parser.add_argument(
        "--detokenize",
        metavar="NAME",
        type=Among(*_DETOKENIZERS),
        help="undo what the file's pre-processing left: none, wikitext, ptb or lm1b (default: none)",
    )
    parser.add_argument(
        "--stride",
        metavar="N",
        type=whole,
        help="of perplexity: tokens that a window predicts; default: as many as the model reads",
    )
    parser.add_argument("--n", metavar="N", type=whole, help="only the first so many examples of the file")
    parser.add_argument(
        "--output", metavar="FILE", type=path, help="JSON with all figures, and each example's"
    )
    add_checkpoint(parser)
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Check what can be checked before JAX starts, and score."""
    if given.stride is not None and given.task != "perplexity":
        raise UsageError(f"--stride is of --task perplexity; {given.task} scores each example by itself")
    if given.n is not None and given.task == "perplexity":
        raise UsageError("--n counts examples; perplexity is of a whole text: give a shorter file")
    if given.detokenize is not None and given.task == "choices":
        raise UsageError("--detokenize: choices are JSON, which is read as it stands")
    if given.output is not None:
        writable(given.output)
    start_jax(given.distributed)
    score(given, say)
    return 0


def score(given: argparse.Namespace, say: Say) -> None:
    """Score a model, and say or write what it gets.

    Raises:
      ValueError: as `opened` and `score_file`.
    """
    from jaxgpt.core.progress import Counter
    from jaxgpt.evaluation.zero_shot.items import Reading
    from jaxgpt.evaluation.zero_shot.scoring_files import score_file

    model = opened(given.model, given.checkpoint, dtype="float32")
    reading = Reading(given.detokenize or "none", given.stride, given.n)
    found = score_file(
        model.models, model.tokenizer, given.task, given.file, reading, progress=Counter("texts scored", say)
    )
    for line in found.lines():
        say(line)
    if given.output is not None:
        found.write(given.output)
        say(f"written: {given.output}")
