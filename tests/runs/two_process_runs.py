"""Trains several tiny experiments, one after another, as one of two processes; prints what it saw as JSON.

A program of its own, so that two starts of JAX serve many tests. `two_process_runs.py FOLDER`.
"""

import json
import os
import sys
from pathlib import Path

import jax
from tiny_runs import tiny

from jaxgpt.parallel import processes
from jaxgpt.runs.session import train

SHORT = {"training__save_every": 10}
#: What is trained by two processes, and in the tests by one.
RUNS = {
    "host": SHORT | {"training__mesh__data": 2, "training__on_device_mib": 0},
    "seeds": SHORT
    | {"training__mesh__seeds": 2, "training__eval_every": 10, "training__test_examples": 4, "seeds": 4},
}


def main(folder: Path) -> None:
    processes.join(60)
    index, wrote, said, refused = jax.process_index(), set(), {}, {}

    def watch(event, arguments):
        # Files opened to be written, and what is renamed into place; Orbax writes checkpoints from both.
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            path, mode, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR) or set(mode or "") & set("wax+")
            if writes and Path(path).is_relative_to(folder) and "checkpoints" not in Path(path).parts:
                wrote.add(str(path))

    sys.addaudithook(watch)

    def run(name, path=None, **fields):
        said[name] = []
        try:
            train(tiny(**fields), path or folder / name, say=said[name].append)
        except ValueError as error:
            refused[name] = str(error)

    for name, fields in RUNS.items():
        run(name, **fields)
    run("taken", folder / "host", **RUNS["host"])
    run("mesh", training__mesh__data=3)
    run("batch", training__batch_size=7, training__mesh__data=2)
    run("different", training__steps=20 + index)
    run("apart", folder / f"apart-{index}", training__mesh__data=2)
    answer = {"wrote": sorted(wrote), "said": said, "refused": refused}
    processes.leave(0)
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
