"""A directory as Hugging Face writes it: `config.json`, and tensors in one safetensors file or several."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from jaxgpt.core import foreign
from jaxgpt.core.paths import expanded
from jaxgpt.core.untrusted import refuse_pickle
from jaxgpt.core.wording import one_line, quoted

_ONE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
#: Tensors of a model, at most; the largest models have some thousands.
_MOST = 50_000


class Tensor(NamedTuple):
    """Where a tensor stands, and what it is."""

    file: Path
    shape: tuple[int, ...]
    dtype: str


class Directory:
    """The files of a model, of which nothing has been read but headers.

    Attributes:
      config: the contents of `config.json`.
      tensors: by name.

    Raises:
      ValueError: if there is no model, a file is malformed, or a name leads out of the directory.
    """

    def __init__(self, path: Path | str):
        self.path = expanded(path)
        if self.path.is_file():
            refuse_pickle(self.path, "a directory with config.json and safetensors")
            raise ValueError(f"{self.path} is a file; give the directory that holds config.json")
        if not self.path.is_dir():
            raise ValueError(f"{self.path} does not exist; give the directory that holds config.json")
        self.config = _object(self._inside("config.json"))
        self.tensors: dict[str, Tensor] = {}
        for name in self._names():
            self._add(self._inside(name))

    def read(self, name: str) -> np.ndarray:
        """One tensor, in its own type."""
        tensor = self.tensors[name]
        with _opened(tensor.file) as file:
            return file.get_tensor(name)

    def _names(self) -> list[str]:
        """The files with tensors."""
        if (self.path / _ONE).exists():
            return [_ONE]
        if (self.path / _INDEX).exists():
            weights = _object(self._inside(_INDEX)).get("weight_map")
            if not isinstance(weights, dict) or not all(isinstance(v, str) for v in weights.values()):
                raise ValueError(f"{self.path / _INDEX} has no weight_map of names and files")
            return sorted(set(weights.values()))
        pickles = [path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in self.path.glob(pattern)]
        if pickles:
            raise ValueError(
                f"{self.path} has its weights in {pickles[0]} alone, a pickle, which can run code and is not "
                "opened; write it as safetensors elsewhere: model.save_pretrained(DIR) in transformers"
            )
        raise ValueError(f"{self.path} holds neither {_ONE} nor {_INDEX}")

    def _inside(self, name: str) -> Path:
        """The path of a file of this directory; its hub's `blobs` count as inside."""
        if Path(name).name != name:
            raise ValueError(f"{self.path}: {quoted(name)} is no plain file name")
        return foreign.inside(self.path / name)

    def _add(self, path: Path) -> None:
        with _opened(path) as file:
            names = list(file.keys())
            if len(self.tensors) + len(names) > _MOST:
                raise ValueError(f"{path} has {len(names)} tensors; no model has more than {_MOST}")
            for name in names:
                part = file.get_slice(name)
                if name in self.tensors:
                    raise ValueError(f"{path}: tensor {name} is in {self.tensors[name].file.name}, too")
                self.tensors[name] = Tensor(path, tuple(part.get_shape()), part.get_dtype())


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="np")
    except (SafetensorError, OSError, MemoryError) as error:  # the last: a sparse file of any size
        refuse_pickle(path, "safetensors")
        raise ValueError(one_line(f"{path} is no whole safetensors file: {error}")) from error


def _object(path: Path) -> dict[str, Any]:
    found = foreign.read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return found
