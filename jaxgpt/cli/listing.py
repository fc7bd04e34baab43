"""What `--list` shows: the experiments under headings, and what each needs."""

import shutil
import textwrap

from jaxgpt.core import hints
from jaxgpt.runs import experiments


def listing() -> str:
    """All experiments: what is learned, what it needs and how long it takes."""
    width = min(max(shutil.get_terminal_size((100, 24)).columns, 80), 110)
    groups: dict[str, list[str]] = {}
    found = experiments.available()
    left = max(map(len, found)) + 3
    for name, function in found.items():
        first, *more = textwrap.wrap(experiments.about(function), width - left) or [""]
        lines = [f"  {name.replace('_', '-'):<{left - 3}} {first}", *(" " * left + line for line in more)]
        groups.setdefault(experiments.heading(function), []).extend(lines)
    blocks = ["\n".join([f"{heading}:", *lines]) for heading, lines in groups.items()]
    command = hints.command("train", "EXPERIMENT")
    last = (
        f"{command} trains one; before that, --help shows what can be changed, --dry-run the memory it takes."
    )
    return "\n\n".join([*blocks, textwrap.fill(last, width)])
