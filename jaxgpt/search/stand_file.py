"""Where a search stands, as one file that is written whole, so that a killed search goes on."""

import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np

from jaxgpt.core.writing import replacing
from jaxgpt.search.generation_step import Record, Stand

#: What the names of a model's arrays begin with.
_KNOWN = "known/"


def save(stand: Stand, path: Path) -> None:
    """Write a stand.

    Raises:
      OSError: if it cannot be written, in one line; the old file stays.
    """
    told = {
        "temperature": stand.temperature,
        "elements": stand.sets.shape[1],
        "records": [dataclasses.asdict(record) for record in stand.records],
    }
    known = {_KNOWN + name: value for name, value in stand.known.items()}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, told=np.asarray(json.dumps(told)), sets=np.packbits(stand.sets, axis=1), **known)


def load(path: Path) -> Stand:
    """Read a stand.

    Raises:
      ValueError: if the file is none, in one line.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            told = json.loads(str(data["told"]))
            sets = np.unpackbits(data["sets"], axis=1, count=told["elements"]).astype(bool)
            known = {n.removeprefix(_KNOWN): data[n] for n in data.files if n.startswith(_KNOWN)}
            records = tuple(_record(one) for one in told["records"])
            return Stand(sets, known, float(told["temperature"]), records)
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not where a search stands ({error}); remove it to begin anew") from error


def _record(told: dict) -> Record:
    """A record, whose sizes JSON has made texts."""
    sizes = {
        name: {int(size): count for size, count in told[name].items()}
        for name in ("proposed", "repaired", "improved", "kept")
    }
    return Record(**told | sizes)
