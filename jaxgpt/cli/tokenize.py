"""`jaxgpt tokenize`: files of text as a directory of tokens."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.cli.option_types import path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.cli.writable import makeable
from jaxgpt.core import hints, printing, settings, trust
from jaxgpt.core.progress import Counter, clock
from jaxgpt.core.usage import UsageError
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.task import SPLITS

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "tokenize",
        "TEXT ... --output DIR [--OPTION VALUE ...]",
        description="Make a directory of tokens of files of text; `train tokens` reads it from the disk.",
    )
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="files of text, or folders of them")
    parser.add_argument(
        "--output", metavar="DIR", type=path, help="the directory of tokens to make, or to go on with"
    )
    parser.add_argument(
        "--tokenizer",
        metavar="NAME",
        default="bytes",
        help="short name such as bpe:32000, or a directory (default: %(default)s)",
    )
    parser.add_argument(
        "--documents",
        metavar="WHAT",
        default="blocks",
        help="blocks[:CHARACTERS] of running text, lines, or separated:LINE (default: %(default)s)",
    )
    parser.add_argument(
        "--held-out",
        metavar="SHARE",
        type=_share,
        default=0.01,
        help="share of the documents in validation, and again in test (default: %(default)s)",
    )
    parser.add_argument("--workers", metavar="N", type=whole, help="processes; default: one a core")
    parser.add_argument(
        "--piece-mib",
        metavar="N",
        type=whole,
        help="text that becomes one file; default: 64, or a 1024th of the text",
    )
    add_common(parser.add_argument_group(COMMON), processes=False)  # no other process takes part
    return parser


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a share such as 0.01 is needed") from None


def run(given: argparse.Namespace, say: Say = printing.say) -> int:
    """Make a directory of tokens of some files of text, or go on with it.

    Raises:
      ValueError: as `tokenize`, and without a text or --output.
    """
    if not given.texts or given.output is None:
        raise UsageError(
            f"tokenize needs files of text and --output DIR; see {hints.command('tokenize', '--help')}"
        )
    counter = Counter("MiB of text", say)
    began = time.perf_counter()
    folder = Path(given.output)
    makeable(folder, name="--output")
    found = tokenize(
        given.texts,
        folder,
        tokenizer=given.tokenizer,
        documents=given.documents,
        held_out=given.held_out,
        piece_bytes=given.piece_mib << 20 if given.piece_mib else None,
        workers=given.workers or settings.cores(),
        say=say,
        progress=lambda done, total: counter(done >> 20, total >> 20),
    )
    for split in SPLITS:
        shards = found.index["shards"][split]
        documents = sum(shard["documents"] for shard in shards)
        say(f"{split:<11} {len(found.tokens(split)):,} tokens in {documents:,} documents")
    size = found.tokenizer.vocab_size
    say(f"vocabulary  {size:,} ids, {8 * found.dtype.itemsize} bits each ({given.tokenizer})")
    say(f"took {clock(time.perf_counter() - began)}")
    trusted = trust.option(tokenizers.to_json(found.tokenizer))
    say(f"train on it: {hints.command('train', 'tokens', '--task.path', folder)}{trusted}")
    return 0
