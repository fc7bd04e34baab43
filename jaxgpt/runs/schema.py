"""The version of what a run writes, so that another one is refused before it is misread."""

from typing import Any

from jaxgpt.core.wording import shown

#: Of `experiment.json`, `resolved.json`, `metrics.jsonl` and the checkpoints.
NUMBER = 3
#: The last version of jaxgpt that reads an older schema; files of the first one name none.
_READ_BY = {1: "0.1", 2: "0.2"}


def check(number: Any) -> None:
    """Raises ValueError if files of this schema are not those of this version; None: they name none."""
    number = 1 if number is None else number
    if type(number) is int and number in _READ_BY:
        raise ValueError(
            f"schema={number} is that of jaxgpt {_READ_BY[number]}; read it with that version, or train anew"
        )
    if number != NUMBER or type(number) is not int:
        raise ValueError(
            f"schema={shown(number)} is unknown; this jaxgpt reads {NUMBER}; take the version that wrote it"
        )


def checked(data: Any) -> Any:
    """The fields of a file without its schema, which must be the one of this version.

    Raises:
      ValueError: if it is another.
    """
    if not isinstance(data, dict):
        return data
    check(data.get("schema"))
    return {name: value for name, value in data.items() if name != "schema"}
