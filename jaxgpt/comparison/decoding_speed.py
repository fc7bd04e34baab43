"""How fast the model of a cell writes its answers."""

import json
import time
from pathlib import Path

from jaxgpt.core import foreign
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.questions import select
from jaxgpt.generation.completing import encode_prompts
from jaxgpt.generation.decode import generate
from jaxgpt.runs.run import Run, load
from jaxgpt.runs.run_directory import RunDirectory

#: In the directory of a run.
FILE = "decoding.json"
#: Test questions that are answered at once, and how often.
_ROWS, _TIMES = 64, 3


def measure(run: RunDirectory) -> None:
    """Write how many tokens a second the first seed's model decodes, unless the file is there."""
    if not (run.path / FILE).is_file():
        found = {"tokens_per_second": tokens_per_second(load(run.path))}
        write_atomically(run.path / FILE, json.dumps(found) + "\n")


def tokens_per_second(run: Run) -> float:
    """Tokens that are decoded in a second once the program is compiled: the best of a few times.

    64 test questions are answered at once, greedily and with a cache, in as many tokens as the longest target
    has.
    """
    tokenizer, seed = run.tokenizer, run.experiment.training.data_seed
    asked = [q.example for q in select(run.task, "test", n=_ROWS, n_extra=0, data_seed=seed)]
    prompts, source = encode_prompts(run.models[0], tokenizer, [example.prompt for example in asked])
    wanted = 1 + max(len(tokenizer.encode(example.target)) for example in asked)
    count = max(1, min(wanted, run.models[0].config.max_length - max(map(len, prompts))))
    seconds = []
    for _ in range(1 + _TIMES):  # the first time compiles
        began = time.perf_counter()
        generate(run.models[0], prompts, source=source, max_new_tokens=count, overflow="stop")
        seconds.append(time.perf_counter() - began)
    return len(asked) * count / min(seconds[1:])


def read(path: Path) -> float | None:
    """What `measure` wrote in the directory of a run; None where it was not measured.

    Raises:
      ValueError: if the file was changed.
    """
    if not (path / FILE).is_file():
        return None
    data = foreign.read_json(path / FILE)
    found = data.get("tokens_per_second") if isinstance(data, dict) else None
    if type(found) not in (int, float) or not 0 < found < 1e15:
        raise ValueError(f"{path / FILE} tells of no tokens a second; delete it and --resume")
    return float(found)
