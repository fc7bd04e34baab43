"""What a family of models is: how its `config.json` and its tensors correspond to ours."""

import abc
import dataclasses
from collections.abc import Container, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from jaxgpt.core.choice import Choice
from jaxgpt.huggingface.config_fields import Field, Given, written
from jaxgpt.huggingface.tensors import Entry
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position import Position


@dataclasses.dataclass(frozen=True)
class Family(Choice, abc.ABC, package="jaxgpt.huggingface.families"):
    """One `model_type` of Hugging Face: a file in `families/` that is called as it is.

    Attributes:
      architecture: the class of transformers that has a language model's head.
      prefix: before the base model's tensors in its files.
      tokens: the tensor of token embeddings, which every file has, without the prefix.
      head: that of the output matrix, which is [V, D]; absent from files where it is the embeddings'.
      tied: whether it is theirs where `config.json` does not say.
      always_tied: whether it is theirs in a file without it, whatever `config.json` says.
      stacks: the `kind` of model.
      position: its position scheme.
      padding: the id of padding that its positions are counted from, where they are.
      renamed: parts of names in old files, as regular expressions, each with what is put in its place.
      ignored: tensors that are no parameters, as regular expressions, each with the reason.
      ties: tensors that transformers ties to another, as regular expressions, each with the other's name;
        a file may hold either of them, or both if they are equal.
      aliases: other names that a field may have in `config.json`, each with the name it stands for.
      fields: of `config.json` that are fields of ours.
    """

    architecture: ClassVar[str]
    prefix: ClassVar[str] = "model."
    tokens: ClassVar[str]
    head: ClassVar[str] = "lm_head.weight"
    tied: ClassVar[bool] = True
    always_tied: ClassVar[bool] = False
    stacks: ClassVar[str] = "decoder"
    position: ClassVar[type[Position]]
    padding: ClassVar[int | None] = None
    renamed: ClassVar[Mapping[str, str]] = {}
    ignored: ClassVar[Mapping[str, str]] = {}
    ties: ClassVar[Mapping[str, str]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    fields: ClassVar[tuple[Field, ...]]

    def by_own_names(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a `config.json` without aliases.

        Raises:
          ValueError: if a field has two names and two values, of which versions of transformers read either.
        """
        renamed = {self.aliases[name]: value for name, value in fields.items() if name in self.aliases}
        for alias, name in self.aliases.items():
            one, other = fields.get(name, fields.get(alias)), fields.get(alias)
            if alias in fields and (one != other or type(one) is not type(other)):
                raise ValueError(
                    f"{name}={fields[name]!r} and {alias}={fields[alias]!r} are one field; leave {alias} out"
                )
        return {name: value for name, value in fields.items() if name not in self.aliases} | renamed

    @abc.abstractmethod
    def config(self, given: Given) -> ModelConfig:
        """The model of a `config.json`.

        Raises:
          ValueError: for what the model cannot be; the message names the field.
        """

    def architecture_of(self, config: ModelConfig) -> str:
        """The class of transformers for a model with these heads."""
        return self.architecture

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        """The fields of `config.json` for a model of this family."""
        return written(self.fields, config)

    def canonical(self, config: ModelConfig) -> ModelConfig:
        """The same model as it is read again from its file, where it can be described in several ways.

        Args:
          config: one that `describe` takes.
        """
        return config

    def computed(self, name: str, config: ModelConfig) -> np.ndarray | None:
        """Expected values of an `ignored` tensor that transformers reads; None: it is not compared."""
        return None

    @abc.abstractmethod
    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        """Every tensor but the output matrix.

        Args:
          tensors: of a file, by their names without the prefix, which tell apart what has two names.
        """
