"""What `jaxgpt compare` shows of a plan, and of the runs of a comparison."""

from collections.abc import Callable
from pathlib import Path

from jaxgpt.compare import findings, page, results, sections, tables
from jaxgpt.compare.cells import Plan
from jaxgpt.core.wording import visible

Say = Callable[[str], None]


def show(plan: Plan, say: Say) -> None:
    say(tables.terminal(sections.plan_table(plan)))
    for note in plan.notes:
        say(f"- {visible(note)}")


def report(plan: Plan, workdir: Path, failed: dict[str, str], say: Say) -> None:
    found = results.read(plan, workdir, failed)
    for budget in plan.budgets:
        if found.findings[budget]:
            table = sections.exact_match(found, budget)
            say(f"\n{table.title}\n{tables.terminal(table)}")
            for sentence in findings.sentences(found, budget):
                say(f"- {visible(sentence)}")
    written = page.write(found, workdir)
    say(f"written: {', '.join(map(str, written))}, and {workdir / 'pictures'}")
