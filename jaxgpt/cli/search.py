"""`jaxgpt search`: the largest set of a problem, with a transformer and without, at equal time."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxgpt.cli.option_types import Repeated, path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.cli.process import leave_at_once, say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.core import hints
from jaxgpt.core.usage import UsageError

if TYPE_CHECKING:
    import numpy as np

    from jaxgpt.search import Searchable, SearchConfig

#: How a search takes less memory.
LESS_MEMORY = (
    "lower --states, --keep or --batch-size, choose a smaller problem, or a larger symmetry if it has one"
)
#: The arms of a problem; a search with a name has its own.
_ARMS = ("transformer", "none")


def parser(arms: Sequence[str] = _ARMS) -> Parser:
    """Its options, with the arms that a search has where none are given."""
    parser = Parser(
        "search",
        "PROBLEM [--OPTION VALUE ...] [--problem.FIELD VALUE ...]",
        fields=_fields,
        description="Search for the largest set without a conflict: a transformer learns the best sets and\n"
        "proposes new ones, and beside it the same search without it has the same time.",
    )
    parser.add_argument(
        "problem",
        metavar="PROBLEM",
        help="such as isosceles, no-three, cap-sets, or my_module:Problem; or a search with a name, such as "
        "own-attempts",
    )
    parser.add_argument(
        "--arms",
        metavar="ARM,...",
        help="transformer, none, bigram, transformer-alone; the first sets the time "
        f"(default: {','.join(arms)})",
    )
    parser.add_argument(
        "--seeds", metavar="N", type=whole, default=1, help="searches of each arm (default: %(default)s)"
    )
    parser.add_argument(
        "--pool",
        metavar="FILE",
        type=path,
        action=Repeated,
        default=[],
        help="sets to begin with, as text, JSON or PNG; may be repeated",
    )
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        type=path,
        help="where the search is kept, and the same command goes on; default: runs/search-PROBLEM, numbered "
        "if another search is there",
    )
    parser.add_argument("--help-all", action="store_true", help="show every field and leave")
    add_common(parser.add_argument_group(COMMON), processes=False)
    return parser


def help_text(given: argparse.Namespace) -> str:
    """The options and the fields of a search; with `--help-all` those of its model and optimizer, too.

    Raises:
      ValueError: if no problem or search has that name.
    """
    from jaxgpt.cli import field_groups
    from jaxgpt.core import fields
    from jaxgpt.search import SearchConfig

    name, notes = given.problem or "PROBLEM", []
    if given.problem is None:
        page, config, own = parser(), SearchConfig(), []
        notes.append(f"fields and arms of a problem: {hints.command('search', name, '--help')}")
    else:
        problem, config, arms = asked(given.problem, {})
        page = parser(arms)
        own = [(f"problem {type(problem).kind()}", list(fields.describe(problem, "problem.")))]
    groups = every = field_groups.every(config, "search")
    if not given.help_all:
        groups = [group for group in every if group[0] == "search" or group[0].startswith("moves:")]
        more = sum(len(rows) for _, rows in every) - sum(len(rows) for _, rows in groups)
        notes.append(f"{more} more fields: {hints.command('search', name, '--help-all')}")
    page.epilog = "\n".join(notes).replace("%", "%%")
    field_groups.add(page, [*own, *groups])
    return page.format_help()


def run(given: argparse.Namespace) -> int:
    """Search, and write the report; status 0 also where a signal stopped it."""
    start_jax(False)
    from jaxgpt import search
    from jaxgpt.core import tables
    from jaxgpt.search import search_findings, search_page
    from jaxgpt.search.orbits import check_size

    problem, config, arms = asked(given.problem, given.fields)
    check_size(problem, config.symmetry, config.table_limit)
    arms = arms if given.arms is None else [arm for arm in given.arms.split(",") if arm]
    pool = _pool(problem, given.pool)
    how = {"seeds": given.seeds, "arms": arms, "pool": pool}
    base = Path("runs") / f"search-{given.problem.split(':')[-1].replace('_', '-')}"
    makeable(given.workdir or base, name="--workdir")
    folder = Path(given.workdir or search.going_on_or_free(base, problem, config, **how))
    known = problem.best_known()
    say(f"{problem}: {problem.size()} elements" + ("" if known is None else f", best known {known}"))
    found = search.search(problem, config, workdir=folder, say=say, **how)
    if not found.finished:
        say("stopped; the same command goes on")
        leave_at_once()
    say("\n" + tables.terminal(search_findings.table(found)))
    for sentence in search_findings.sentences(found):
        say(f"- {sentence}")
    say("written: " + ", ".join(map(str, search_page.write(found, folder))))
    return 0


def _fields() -> list[str]:
    from jaxgpt.core import fields
    from jaxgpt.search import SearchConfig

    return ["problem", *fields.hints(SearchConfig)]


def asked(name: str, values: Mapping[str, str]) -> tuple["Searchable", "SearchConfig", Sequence[str]]:
    """The problem, the search and the arms that a command line names."""
    from jaxgpt.core import fields
    from jaxgpt.core.choice import imported
    from jaxgpt.search import SearchConfig

    named = imported("tasks.constructions.searches").SEARCHES
    if (key := name.replace("-", "_")) in named:
        problem, config, arms = named[key]()
    else:
        problem, config = imported("tasks.constructions").Problem.named(name)(), SearchConfig()
        arms = _ARMS
    own = {key: text for key, text in values.items() if key.split(".")[0] == "problem"}
    if "problem" in own:
        raise UsageError(f"the problem is {name}; set its fields by --problem.FIELD")
    inner = {key.partition(".")[2]: text for key, text in own.items()}
    problem = fields.override(problem, inner)
    rest = {key: text for key, text in values.items() if key not in own}
    if "model.max_length" in {key.replace("-", "_") for key in rest}:
        raise UsageError("--model.max-length follows from the problem; leave it out")
    return problem, fields.override(config, rest), arms


def _pool(problem: "Searchable", paths: list[str]) -> "np.ndarray | None":
    import numpy as np

    from jaxgpt.search import set_files

    return np.concatenate([set_files.read(problem, Path(file)) for file in paths]) if paths else None
