"""From a directory of Hugging Face to a model: every tensor accounted for, then read one after another."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding

from jaxgpt.core import foreign
from jaxgpt.core.choice import nearest
from jaxgpt.core.nested import replaced
from jaxgpt.core.wording import quoted
from jaxgpt.huggingface import tokenizer_files
from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.tensors import Entry
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.models.transformer import Transformer
from jaxgpt.parallel import sharding
from jaxgpt.tokenizers.directory import declared
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Types of tensors and what weights of that type are kept as.
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float32", "BF16": "bfloat16"}
#: Fields of any `config.json` that change its weights.
_NEVER = {
    "quantization_config": "quantized weights",
    "pruned_heads": "layers without some of their heads",
    "tie_encoder_decoder": "stacks that share their weights",
}
#: What torch.compile, DataParallel and PEFT put before the names of a model that they wrap.
_WRAPPED = re.compile(r"^((_orig_mod|module|base_model\.model)\.)+")


@dataclasses.dataclass(frozen=True)
class Audit:
    """What became of every tensor of a directory.

    Attributes:
      used: names, each with the parameters it was read into.
      ignored: names, each with the reason.
    """

    used: Mapping[str, tuple[str, ...]]
    ignored: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """A directory in memory.

    Attributes:
      tokenizer: None where the directory has none.
      description: the contents of `config.json`.
      ids: `bos_token_id` and the like, as `generation_config.json` or `config.json` has them.
      chat_template: of the tokenizer, a text or several by name; it is kept for `save_hf`, and never run.
    """

    model: Transformer
    tokenizer: Tokenizer | None
    family: Family
    description: dict[str, Any]
    audit: Audit
    ids: Mapping[str, int | list[int]] = dataclasses.field(default_factory=dict)
    chat_template: str | dict[str, str] | None = None


def load_hf(
    path: Path | str, *, dtype: str | None = None, mesh: Mesh | None = None, **fields: Any
) -> Pretrained:
    """Read a model that transformers wrote (`config.json`, safetensors, tokenizer files).

    Neither torch nor transformers takes part. Every field of `config.json` that changes what transformers
    computes is obeyed or refused. A tied tensor may stand under any of its names, or under several with equal
    values; `module.`, `_orig_mod.` and `base_model.model.` before names are passed over. Tensors
    are read one after another, so that memory holds the weights and one tensor.

    Args:
      dtype: of the weights and of the computation; None means the files' own, float32 for float16.
      mesh: devices to spread the weights over (`jaxgpt.parallel.sharding`); None means the first.
      fields: of `ModelConfig` to set, such as `layers="scanned"` or `dropout=0.0`.

    Raises:
      ValueError: if the directory or its `config.json` is not of a supported model, or its tensors are not
        exactly those of the model, each in its shape; the message names them.
    """
    directory = Directory(path)
    plan = Plan.of(directory, dtype, fields)
    tokenizer = tokenizer_files.read(directory.path)
    chat = tokenizer_files.chat_template(directory.path) if tokenizer is not None else None
    weights = read_weights(directory, plan, mesh or sharding.local_mesh())
    model = Template(plan.config).model(weights)
    if tokenizer is not None:
        tokenizer = tokenizer_files.begun_as(directory.path, tokenizer, plan.config.kind)
    told = declared(directory.path).ids
    ids = {name: found[0] if len(found) == 1 else found for name, found in told.items()}
    return Pretrained(model, tokenizer, plan.family, directory.config, plan.audit, ids, chat)


def family_of(config: Mapping[str, Any], source: str) -> Family:
    """The family of a `config.json`.

    Raises:
      ValueError: if its `model_type` is none of ours.
    """
    name = config.get("model_type")
    known = Family.names()
    if not isinstance(name, str) or name.replace("-", "_") not in known:
        raise ValueError(f"{source}: model_type={name!r} is not supported; {nearest(str(name), known)}")
    return Family.named(name)()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be read, known from `config.json` and the headers alone.

    Attributes:
      names: of the tensors in the files, by the names of `entries`.
    """

    family: Family
    config: ModelConfig
    entries: tuple[Entry, ...]
    names: dict[str, str]
    audit: Audit

    @classmethod
    def of(cls, directory: Directory, dtype: str | None, fields: Mapping[str, Any]) -> "Plan":
        """The plan of a directory. Arguments and errors as of `load_hf`."""
        with foreign.naming(directory.path):
            return cls._of(directory, dtype, fields)

    @classmethod
    def _of(cls, directory: Directory, dtype: str | None, fields: Mapping[str, Any]) -> "Plan":
        source = str(directory.path / "config.json")
        family = family_of(directory.config, source)
        names = _plain_names(directory, family)
        shapes = {plain: directory.tensors[name].shape for plain, name in names.items()}
        given = Given(directory.config, source, shapes)
        config = config_of(family, given)
        if config.head.weights == "tied":
            config = replaced(config, {"head.weights": _head(directory, family, given, names)})
        kept = dtype or _DTYPES.get(directory.tensors[names[family.tokens]].dtype, "float32")
        config = replaced(config, {"dtype": kept, "param_dtype": kept} | dict(fields))
        entries = [*family.entries(config, shapes)]
        if config.head.weights == "separate":
            entries.append(Entry(family.head, ("head",), "linear"))
        audit = _audit(directory, family, config, entries, names)
        return cls(family, config, tuple(entries), names, audit)


def config_of(family: Family, given: Given) -> ModelConfig:
    """Our model of a `config.json`.

    Raises:
      ValueError: for what the model cannot be; the message begins with the file.
    """
    for name, what in _NEVER.items():
        if given.fields.get(name):
            raise ValueError(f"{given.source}: {name} is there; {what} are not read")
    try:
        return family.config(Given(family.by_own_names(given.fields), given.source, given.tensors))
    except ValueError as error:
        told = str(error)
        raise ValueError(told if told.startswith(given.source) else f"{given.source}: {told}") from error


def _plain_names(directory: Directory, family: Family) -> dict[str, str]:
    """The tensors' names, by what they are without the base model's prefix and in today's spelling.

    A tensor that stands under the name of one that is tied to it has both names.
    """
    found = {}
    for name in directory.tensors:
        plain = _WRAPPED.sub("", name).removeprefix(family.prefix)
        for old, new in family.renamed.items():
            plain = re.sub(old, new, plain)
        if plain in found:
            raise ValueError(f"{directory.path}: {name} and {found[plain]} are the same tensor")
        found[plain] = name
    for plain, name in list(found.items()):
        found.setdefault(_tied_to(family, plain) or plain, name)
    tied = directory.config.get("tie_word_embeddings", family.tied)
    if tied and family.head in found:
        found.setdefault(family.tokens, found[family.head])
    if family.tokens not in found:
        raise ValueError(
            f"{directory.path} has no {family.tokens}, with or without {family.prefix!r}: is it of type "
            f"{directory.config['model_type']}? There are: "
            f"{_first([quoted(name) for name in directory.tensors], 2) or 'none'}"
        )
    return found


def _tied_to(family: Family, plain: str) -> str | None:
    """The tensor that one of this name is tied to."""
    for pattern, other in family.ties.items():
        if match := re.fullmatch(pattern, plain):
            return match.expand(other)
    return None


def _head(directory: Directory, family: Family, given: Given, names: Mapping[str, str]) -> str:
    """How the output matrix stands to the embeddings."""
    tied = given.get("tie_word_embeddings", family.tied)
    if family.head not in names or (tied and names[family.head] == names[family.tokens]):
        return "tied" if tied or family.always_tied else "none"
    if not tied:
        return "separate"
    return "tied" if _equal(directory, names[family.head], names[family.tokens]) else "separate"


def _audit(directory, family, config, entries, names) -> Audit:
    """Raises ValueError unless every tensor has a use or a reason, and every parameter its tensor."""
    shapes = shapes_apart(config)
    used, missing, wrong = {}, [], []
    for entry in entries:
        name = names.get(entry.key.removeprefix("."))
        if name is None:
            missing.append(entry.key.removeprefix("."))
            continue
        used[name] = entry.paths
        file, found, dtype = directory.tensors[name]
        if dtype not in _DTYPES:
            raise ValueError(f"{file}: {name} is of type {dtype}; known: {', '.join(_DTYPES)}")
        expected = entry.shape(shapes[entry.paths[0]])
        if found != expected:
            wrong.append(f"{name} is {list(found)}, not {list(expected)}")
    ignored, unknown, unlike, changed = {}, [], [], []
    reasons = dict(family.ignored)
    if config.head.weights == "tied":
        reasons[re.escape(family.head)] = "the token embeddings, once more"
    for plain, name in names.items():
        if name in used:
            continue
        reason = next((text for pattern, text in reasons.items() if re.fullmatch(pattern, plain)), None)
        if other := names.get(_tied_to(family, plain) or ""):
            reason = f"a copy of {other}"
            if not _equal(directory, name, other):
                unlike.append(f"{name} and {other}")
        elif reason and not _as_computed(directory, name, family.computed(plain, config)):
            changed.append(f"{name} ({reason})")
        if reason is None:
            unknown.append(name)
        else:
            ignored[name] = reason
    unread = set(shapes) - {path for entry in entries for path in entry.paths}
    if unread:
        raise AssertionError(f"{type(family).__name__} says nothing of {sorted(unread)}")
    problems = (
        ("missing", missing),
        ("unknown", unknown),
        ("of another shape", wrong),
        ("that must be equal and are not", unlike),
        ("with other numbers than this model has", changed),
    )
    told = [f"{what}: {_first(names)}" for what, names in problems if names]
    if told:
        raise ValueError(f"{directory.path} does not fit its config.json; tensors {'; '.join(told)}")
    return Audit(used, ignored)


def _equal(directory: Directory, name: str, other: str) -> bool:
    """Whether two tensors hold the same numbers."""
    one, two = directory.tensors[name], directory.tensors[other]
    return one.shape == two.shape and np.array_equal(directory.read(name), directory.read(other))


def _as_computed(directory: Directory, name: str, known: np.ndarray | None) -> bool:
    """Whether a tensor holds these numbers, as far as its type can; any will do where there are none."""
    if known is None:
        return True
    _, shape, dtype = directory.tensors[name]
    if dtype not in _DTYPES or shape != known.shape:
        return False
    found = directory.read(name)
    near = max(float(jnp.finfo(found.dtype).eps), 3e-5)  # float32 sines of late positions are that far off
    return np.allclose(found.astype(np.float64), known, rtol=0, atol=near)


def _first(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shapes_apart(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter by its path, each layer for itself."""
    return Template(dataclasses.replace(config, layers="unrolled")).shapes


def read_weights(directory: Directory, plan: Plan, mesh: Mesh) -> dict[str, jax.Array]:
    """The weights by their paths, one tensor after another."""
    shapes = shapes_apart(plan.config)
    template = Template(plan.config)
    dtype = jnp.dtype(plan.config.param_dtype)
    params: dict[str, jax.Array] = {}
    layers: dict[str, np.ndarray] = {}  # of scanned layers, until the last one is there
    waiting: dict[str, int] = {}

    def place(path: str, value: np.ndarray) -> None:
        where = NamedSharding(mesh, sharding.spec(value.shape, template.axes[path], mesh))
        params[path] = sharding.put(np.ascontiguousarray(value, dtype), where)

    for entry in plan.entries:
        tensor = directory.read(plan.names[entry.key.removeprefix(".")])
        for path, part in zip(entry.paths, entry.read(tensor, shapes[entry.paths[0]]), strict=True):
            if path in template.shapes:
                place(path, part)
                continue
            path, layer = in_stack(path)
            whole = layers.setdefault(path, np.empty(template.shapes[path], dtype))
            whole[layer] = part
            waiting[path] = waiting.get(path, len(whole)) - 1
            if not waiting[path]:
                place(path, layers.pop(path))
    return params


def in_stack(path: str) -> tuple[str, int]:
    """The parameter of all layers that one layer's parameter is part of, and which part."""
    before, number, after = re.fullmatch(r"(.*\.blocks\.)(\d+)\.(.*)", path).groups()
    return before + after, int(number)
