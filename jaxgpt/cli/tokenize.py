"""`jaxgpt tokenize`."""

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.cli.options import Given, Option, makeable
from jaxgpt.core import hints, settings, trust
from jaxgpt.core.progress import Counter, clock
from jaxgpt.core.usage import UsageError
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.task import SPLITS

OPTIONS = (
    Option("output", "DIR", "the directory of tokens to make, or to go on with"),
    Option("tokenizer", "NAME", "short name such as bpe:32000, or a directory", "bytes"),
    Option("documents", "WHAT", "blocks[:CHARACTERS] of running text, lines, or separated:LINE", "blocks"),
    Option("held-out", "SHARE", "share of the documents in validation, and again in test", "0.01"),
    Option("workers", "N", "processes; default: one a core"),
    Option("piece-mib", "N", "text that becomes one file; default: 64, or a 1024th of the text"),
)

Say = Callable[[str], None]


def split_texts(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names in front of the first option, and the rest."""
    texts = list(itertools.takewhile(lambda word: not word.startswith("-"), argv))
    return texts, list(argv[len(texts) :])


def run(texts: Sequence[str], given: Given, say: Say) -> None:
    """Make a directory of tokens of some files of text, or go on with it.

    Raises:
      ValueError: as `tokenize`, for unknown options, and without a text or --output.
    """
    if given.positional is not None:
        raise UsageError(f"{given.positional!r} stands behind an option; the texts come first")
    if given.fields:
        raise UsageError(f"no option --{next(iter(given.fields))}; see jaxgpt tokenize --help")
    if not texts or given.get("output") is None:
        raise UsageError("tokenize needs files of text and --output DIR; see jaxgpt tokenize --help")
    try:
        held_out = float(given.get("held-out"))
    except ValueError:
        raise UsageError(f"--held-out {given.get('held-out')}: a share such as 0.01 is needed") from None
    counter = Counter("MiB of text", say)
    began = time.perf_counter()
    folder = Path(given.get("output"))
    makeable(folder, name="--output")
    found = tokenize(
        texts,
        folder,
        tokenizer=given.get("tokenizer"),
        documents=given.get("documents"),
        held_out=held_out,
        piece_bytes=given.whole("piece-mib") << 20 if given.get("piece-mib") else None,
        workers=given.whole("workers") if given.get("workers") else settings.cores(),
        say=say,
        progress=lambda done, total: counter(done >> 20, total >> 20),
    )
    for split in SPLITS:
        shards = found.index["shards"][split]
        documents = sum(shard["documents"] for shard in shards)
        say(f"{split:<11} {len(found.tokens(split)):,} tokens in {documents:,} documents")
    size = found.tokenizer.vocab_size
    say(f"vocabulary  {size:,} ids, {8 * found.dtype.itemsize} bits each ({given.get('tokenizer')})")
    say(f"took {clock(time.perf_counter() - began)}")
    trusted = trust.option(tokenizers.to_json(found.tokenizer))
    say(f"train on it: {hints.command('train', 'tokens', '--task.path', folder)}{trusted}")
