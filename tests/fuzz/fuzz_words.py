"""What a person types: prompts for a run, and options of the commands."""

import string
from pathlib import Path
from random import Random

from fuzz_mutators import VALUES
from fuzz_watch import Ending, watched

import jaxgpt
from jaxgpt.cli import generate as asking
from jaxgpt.cli import train as training
from jaxgpt.core import fields
from jaxgpt.generation import Sampling
from jaxgpt.runs import experiments

_WORDS = ("9+7", "12+34=", "-1", "0", "+", "=", "<|eos|>", "１２", "9" * 300, "\u202e", "\U0001f642", "\\n")


def _text(rng: Random) -> str:
    pieces = [*_WORDS, *map(str, VALUES[-40:]), *string.printable]
    return "".join(rng.choice(pieces) for _ in range(rng.choice((0, 1, 1, 2, 3, 9))))


class Prompts:
    """Questions to one run, as Python asks them and as a file of `--prompts` holds them."""

    def __init__(self, finished_run: Path):
        self.run = jaxgpt.load(finished_run)

    def case(self, seed: int) -> tuple[str, Ending]:
        rng = Random(seed)
        asked = [_text(rng) for _ in range(rng.choice((1, 1, 2)))]
        count = rng.choice((1, 2))

        def ask() -> None:
            self.run.generate(asked, max_new_tokens=count)

        return repr(asked)[:200], watched(ask, self.run.directory.path, begins="")


class Options:
    """Command lines: taken apart, and set in an experiment."""

    parsers = (training.parser, asking.parser)

    def __init__(self):
        self.experiments = [
            experiments.find(name) for name in ("addition", "text", "magic-squares", "pairs", "gcd")
        ]

    def case(self, seed: int) -> tuple[str, Ending]:
        rng = Random(seed)
        experiment = rng.choice(self.experiments)
        paths = [row.path for row in fields.describe(experiment)]
        words = []
        for _ in range(rng.choice((1, 1, 2, 3))):
            path = rng.choice(paths)
            if rng.random() < 0.1:
                path = path[: rng.randrange(len(path) + 1)] or "x"
            value = rng.choice(
                (*map(str, VALUES), _text(rng), *map(str, (0, 1, 7, -3, 1e-9, "1e400", "inf", "nan")))
            )
            words += [f"--{path.replace('_', '-')}={value}"]
        if rng.random() < 0.1:
            words.append(_text(rng))
        parser = rng.choice(self.parsers)

        def parse() -> None:
            given = parser().parse(words)
            fields.override(experiment, given.fields)
            fields.override(Sampling(), {"temperature": words[0].partition("=")[2]})

        return repr(words)[:200], watched(parse, Path("nowhere"), begins="")
