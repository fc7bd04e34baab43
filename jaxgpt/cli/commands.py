"""The commands by name, and where each is found."""

import importlib
import os
import sys
from types import ModuleType

from jaxgpt.core.choice import imported
from jaxgpt.core.usage import UsageError

#: Command -> what stands behind it, and what it does. Its file in this folder has its name, and there
#: `parser()` returns its options, `run(given)` its status, and where the help depends on what was given
#: `help_text(given)` the help. A command may say in `LESS_MEMORY` how it takes less memory.
COMMANDS = {
    "train": (
        "[EXPERIMENT]",
        "train it (default: addition), evaluate it and draw the results; --list shows all",
    ),
    "evaluate": ("RUN", "score a run directory on held-out questions"),
    "generate": ("RUN", "ask a run"),
    "score": ("MODEL FILE", "score it on LAMBADA, CBT, a text's perplexity or choices, as GPT-2 was"),
    "tokenize": (
        "TEXT ...",
        "make files of text a directory of tokens, to train on more than memory holds",
    ),
    "plan": (
        "EXPERIMENT",
        "what it would need on devices that are not there: memory, traffic, a mesh that fits, money",
    ),
    "compare": (
        "EXPERIMENT",
        "train it with several tokenizers, or other fields varied, and report with intervals",
    ),
    "lecture": ("[ROW]", "ask the figures of a lecture on models of sequences again, each in minutes"),
    "lab": ("RUN ...", "show what runs know and how they learned it, on one page"),
    "search": (
        "PROBLEM",
        "look for the largest set without a conflict, with a transformer and without",
    ),
    "features": ("RUN FILE", "write what a model makes of each token of some texts, for other tools"),
    "import-hf": ("DIR", "make a run directory of a model that Hugging Face's transformers wrote"),
    "export-hf": ("RUN", "write its model as a directory that transformers reads"),
    "verify-hf": ("DIR", "check that such a model computes here what it computes in transformers"),
    "completion": ("SHELL", "print what lets bash, zsh, fish or tcsh complete commands, options and fields"),
}


def module(command: str) -> ModuleType:
    """The file of a command."""
    return importlib.import_module(f"jaxgpt.cli.{command.replace('-', '_')}")


def overview() -> str:
    """The help of `jaxgpt` alone: its commands."""
    rows = [f"  {f'{name} {words}':<20} {summary}" for name, (words, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: jaxgpt COMMAND ...",
            "",
            *rows,
            "",
            "Each command has --help; jaxgpt --version says which version this is.",
        ]
    )


def find_own_modules() -> None:
    """Have `my_package.my_tasks:experiment` found in the working directory, behind all that is installed."""
    imported("tasks")  # before a folder of that name in the working directory can be found
    try:
        here = os.getcwd()
    except FileNotFoundError as error:
        raise UsageError("the working directory was deleted; change to one that exists") from error
    if here not in sys.path:
        sys.path.append(here)
