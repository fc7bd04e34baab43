"""Plans of the tiny experiment, made as a user makes them."""

import json

import tiny_runs

#: Of `cpu:8`; the batch is divisible by the devices. With dropout the program reads the number of its first
#: step, too; without it, jax from 0.12 on leaves that argument out.
FIELDS = tiny_runs.TINY | {"training.batch-size": "16", "model.layers": "scanned", "model.dropout": "0.1"}


def words(target: str, experiment: str = "addition", **fields) -> list[str]:
    """The command line of a plan; `training__chunk=2` sets `training.chunk`."""
    given = {name.replace("__", ".").replace("_", "-"): str(value) for name, value in fields.items()}
    of_addition = FIELDS if experiment == "addition" else {}
    found = ["plan", experiment, "--target", target]
    for name, value in (of_addition | given).items():
        found += [f"--{name}", value]
    return found


def plan(folder, target: str, experiment: str = "addition", *, status: int = 0, **fields) -> tuple[dict, str]:
    """What a plan found, as its JSON has it, and what it printed."""
    path = folder / "plan.json"
    ended, output, errors = tiny_runs.run(
        *words(target, experiment, **fields), "--output", path, seconds=300, variables={"XLA_FLAGS": ""}
    )
    assert ended == status, errors
    assert not errors
    return json.loads(path.read_text()), output
