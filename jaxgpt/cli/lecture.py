"""`jaxgpt lecture`: the figures of a lecture on models of sequences, asked again at a small size."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxgpt.cli.option_types import meant, path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.cli.process import leave_at_once, say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.core import settings
from jaxgpt.core.usage import UsageError

if TYPE_CHECKING:
    from jaxgpt.lecture import Row

#: Models of each kind, where their number is not given: six give intervals of differences.
SEEDS, QUICK_SEEDS = 6, 1


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "lecture",
        "[ROW ...] [--OPTION VALUE ...]",
        description="Ask the figures of a lecture on models of sequences again, each with models that train\n"
        "here in minutes. Without a ROW: all whose files are given. Runs that are there are not\n"
        "trained again.",
    )
    parser.add_argument(
        "rows", metavar="ROW ...", nargs="*", help="such as attention or shared-layers; default: all"
    )
    parser.add_argument("--text", metavar="FILE", type=path, help="running text, such as plays")
    parser.add_argument(
        "--pairs", metavar="FILE", type=path, help="sentences and their translations, a tab between them"
    )
    parser.add_argument(
        "--synopses", metavar="FILE", type=path, help="a CSV with the columns title, genres and synopsis"
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=whole,
        help="models of each kind; intervals of differences need 6 (default: 6, with --quick 1)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a twentieth of the steps and fewer models, to see that all works; the figures say little",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=path,
        help="directory of the page and the runs; default: runs/lecture, with --quick runs/lecture-quick",
    )
    add_common(parser.add_argument_group(COMMON), processes=False)
    return parser


def run(given: argparse.Namespace) -> int:
    """Make the rows, and say where the page is; status 0 also where a signal stopped it."""
    seeds = given.seeds or (QUICK_SEEDS if given.quick else SEEDS)
    settings.spread_seeds(seeds)
    start_jax(False, quiet=True)
    from jaxgpt import lecture
    from jaxgpt.lecture.row import FILES

    files = {name: value for name in FILES if (value := getattr(given, name)) is not None}
    rows = _rows(given.rows, files)
    folder = Path(given.output or Path("runs") / ("lecture-quick" if given.quick else "lecture"))
    makeable(folder, name="--output")
    page = lecture.make(rows, files, folder, seeds=seeds, quick=given.quick, say=say)
    if page is None:
        say("stopped; the same command goes on")
        leave_at_once()
    say(f"written: {page}, and pictures, numbers and tables of each row in its folder beside it")
    return 0


def _rows(names: Sequence[str], files: dict[str, str]) -> list["Row"]:
    """The named rows; without a name all rows whose files are given."""
    from jaxgpt.lecture import Row

    known = [name.replace("_", "-") for name in Row.names()]
    for name in names:
        if ":" not in name and name not in known:
            raise UsageError(f"ROW {name}: {meant(name, known)}")
    found = [Row.named(name.replace("-", "_"))() for name in names or known]
    found.sort(key=lambda row: row.place)
    left = {type(row).kind(): missing for row in found if (missing := _missing(row, files))}
    for kind, missing in left.items():
        name = kind.replace("_", "-")
        if names:
            raise UsageError(f"{name} reads a file: --{missing[0]} FILE")
        say(f"left out: {name}, which reads a file: --{missing[0]} FILE")
    return [row for row in found if type(row).kind() not in left]


def _missing(row: "Row", files: dict[str, str]) -> list[str]:
    return [name for name in row.files if name not in files]
