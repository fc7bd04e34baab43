"""From a model to a directory that transformers reads."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import jax
import numpy as np
from safetensors.numpy import save_file

from jaxgpt import tokenizers
from jaxgpt.core import nested
from jaxgpt.core.nested import replaced
from jaxgpt.core.paths import expanded, make_folder
from jaxgpt.huggingface import rope, tokenizer_files
from jaxgpt.huggingface.config_fields import Given, windowed
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.load import Pretrained, family_of, in_stack, shapes_apart
from jaxgpt.huggingface.tensors import Entry
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.tokenizers.directory import EXPORTED
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Who is to read texts with an exported model.
Reader = Literal["transformers", "jaxgpt"]
#: The types of models whose names are no names of files here.
_TYPES = {"openai_gpt": "openai-gpt", "transfo_xl": "transfo-xl", "xlm_roberta": "xlm-roberta"}
#: Fields that say how a model is trained or computed, and nothing of what it computes.
_FREE = (
    "init",
    "mask_id",
    "marks",
    "label_names",
    "segment",
    "dropout",
    "attention.dropout",
    "attention.kernel",
    "init_std",
    "embedding.std",
    "residual_init",
    "layers",
    "remat",
    "param_dtype",
    "dtype",
)


def save_hf(
    model: Transformer | Pretrained,
    path: Path | str,
    *,
    family: str | None = None,
    tokenizer: Tokenizer | None = None,
    reader: Reader = "transformers",
) -> None:
    """Write a model as `config.json`, `model.safetensors` and tokenizer files, for transformers to read.

    Everything is written into a new directory beside `path`, which is then renamed. `load_hf` reads it again.

    Args:
      model: or all that `load_hf` gave, with family, tokenizer and special ids.
      family: the `model_type`, such as `gpt2`.
      tokenizer: of the model. Its special ids go into `config.json` and `generation_config.json`.
      reader: who is to read texts: `transformers`, and jaxgpt; or `jaxgpt` alone, for a tokenizer that the
        library of transformers cannot express.

    Raises:
      ValueError: if `path` exists, no family is called so, the family cannot express the model (the message
        names the fields), or the tokenizer is not the model's or cannot be expressed.
    """
    if reader not in get_args(Reader):
        raise ValueError(f"reader={reader!r} must be one of {', '.join(get_args(Reader))}")
    told = chat = None
    if isinstance(model, Pretrained):
        tokenizer = tokenizer or model.tokenizer
        own = tokenizer is model.tokenizer
        told, chat = (model.ids, model.chat_template) if own else (None, None)
        family, model = family or type(model.family).kind(), model.model
    if family is None:
        raise ValueError("family= is needed, such as gpt2; load_hf knows that of what it reads")
    path = expanded(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ValueError(f"{path} exists and is not empty; name another directory")
    found = family_of({"model_type": family}, "family")
    description = describe(found, model.config)
    ids = special_ids(found, model.config, tokenizer, told)
    description |= ids
    tensors = _tensors(found, model, tied=description["tie_word_embeddings"])
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        whole = Path(folder) / path.name
        whole.mkdir()
        text = json.dumps(description, indent=2) + "\n"
        (whole / "config.json").write_text(text, encoding="utf-8")
        save_file(tensors, whole / "model.safetensors", metadata={"format": "pt"})
        if model.config.kind != "encoder" and any(i is not None for i in ids.values()):
            text = json.dumps(ids, indent=2) + "\n"
            (whole / "generation_config.json").write_text(text, encoding="utf-8")
        if tokenizer is not None:
            tokenizers.save(tokenizer, whole / EXPORTED)
        if tokenizer is not None and reader == "transformers":
            tokenizer_files.write(tokenizer, whole, model.config, chat)
        else:
            tokenizer_files.write_none(whole)
        os.replace(whole, path)


def special_ids(
    family: Family, config: ModelConfig, tokenizer: Tokenizer | None, told: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The ids that begin, end and fill up texts, as `config.json` has them.

    Without a tokenizer nothing is known of them, and the defaults of transformers, which are another
    model's, are taken back.

    Args:
      told: by the files that the model was read from.

    Raises:
      ValueError: if the model's ids are not the tokenizer's.
    """
    both = config.kind == "encoder_decoder"
    if tokenizer is None and told:
        return dict(told)
    if tokenizer is None:
        return {} if both else {"bos_token_id": None, "eos_token_id": None}
    bos, eos, pad = tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id
    spare = {i for i in (bos, eos, pad) if i == tokenizer.vocab_size - 1 == config.vocab_size}
    if tokenizer.vocab_size - len(spare) > config.vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids and the model {config.vocab_size}; give the "
            "tokenizer that it was trained with"
        )
    if family.padding is not None and pad != family.padding:
        raise ValueError(
            f"a model of type {type(family).kind()} counts positions from padding as id {family.padding}, "
            f"and the tokenizer's is {pad}; take another family, or leave the tokenizer out"
        )
    ends = [i for i in tokenizer.end_ids if i not in spare]
    found = {
        "bos_token_id": None if bos in spare else bos,
        "eos_token_id": ends if len(ends) > 1 else ends[0] if ends else None,
        "pad_token_id": None if pad in spare else pad,
    }
    return found | ({"decoder_start_token_id": tokenizer.begun([])[0]} if both else {}) | dict(told or {})


def describe(family: Family, config: ModelConfig) -> dict[str, Any]:
    """The `config.json` of a model.

    Raises:
      ValueError: if a model read from it would be another one; the message names the fields.
    """
    kind = type(family).kind()
    if config.kind != family.stacks:
        raise ValueError(f"a model of type {kind} has kind={family.stacks}, not {config.kind}")
    if not isinstance(config.position, family.position):
        other = type(config.position).kind()
        raise ValueError(f"a model of type {kind} has position={family.position.kind()}, not {other}")
    found = family.describe(config) | {
        "model_type": _TYPES.get(kind, kind),
        "architectures": [family.architecture_of(config)],
        "dtype": config.param_dtype,
    }
    found.setdefault("tie_word_embeddings", config.head.weights != "separate")
    if config.num_labels:
        names = config.label_names or [f"LABEL_{i}" for i in range(config.num_labels)]
        found["id2label"] = {str(i): name for i, name in enumerate(names)}
    shapes = shapes_apart(config)
    # Of a weight that the family has and this model lacks the name alone is known: the fields will differ.
    tensors = {
        entry.key.removeprefix("."): entry.shape(shapes[path]) if (path := entry.paths[0]) in shapes else ()
        for entry in family.entries(config)
    }
    if config.head.weights == "separate":
        tensors[family.head] = ()
    again = family.config(Given(found, "the description", tensors))
    if "none" not in (config.head.weights, again.head.weights):  # which matrix it is, the files tell
        again = replaced(again, {"head.weights": config.head.weights})
    ours, theirs = (_comparable(family.canonical(one)) for one in (config, again))
    different = [f"{name}={ours[name]}" for name in ours if ours[name] != theirs[name]]
    if different:
        raise ValueError(f"a model of type {kind} cannot have {', '.join(different)}")
    return found


def _comparable(config: ModelConfig) -> dict[str, Any]:
    """What decides a model's outputs, with every default filled in."""
    found = {path: value for path, value in nested.paths(config) if path not in _FREE}
    filled = {
        "attention.num_kv_heads": config.attention.num_kv_heads or config.num_heads,
        "attention.head_dim": config.resolved_head_dim,
        "d_ff": config.resolved_d_ff,
        "encoder_layers": config.num_encoder_layers,
        "encoder_heads": config.encoder_heads or config.num_heads,
        "encoder_d_ff": config.encoder_d_ff or config.resolved_d_ff,
        "attention.scale": config.attention.scale or config.resolved_head_dim**-0.5,
        "loop_blocks": config.loop_blocks or config.num_layers,
        "labels": config.num_labels,
    }
    if config.norm != "layer":
        filled["norm_bias"] = True  # the others have none in any case
    for name in ("position", "window_position"):
        if isinstance(found[name], Rotary):
            found[name] = rope.plain(found[name], config.resolved_head_dim)
    filled["window_layers"] = windowed(config)
    if not any(filled["window_layers"]):
        filled |= {"window": None, "window_position": None}
    elif found["window_position"] == found["position"]:
        filled["window_position"] = None
    rounded = {k: round(v, 9) for k, v in (found | filled).items() if isinstance(v, float)}
    return found | filled | rounded


def _tensors(family: Family, model: Transformer, *, tied: bool) -> dict[str, np.ndarray]:
    """Every tensor of the file, by its name.

    Args:
      tied: whether `config.json` says that the output matrix is the embeddings'; if not, it is there.
    """
    config, template = model.config, Template(model.config)
    params = template.params(model)
    entries = [*family.entries(config)]
    if config.head.weights == "separate":
        entries.append(Entry(family.head, ("head",)))
    elif config.head.weights == "tied" and not tied:
        entries.append(Entry(family.head, ("embedding.table",), "table"))
    left = set(shapes_apart(config)) - {path for entry in entries for path in entry.paths}
    if left:
        raise ValueError(f"a model of type {type(family).kind()} has no place for {', '.join(sorted(left))}")

    def value(path: str) -> np.ndarray:
        if path in params:
            return np.asarray(jax.device_get(params[path]))
        whole, layer = in_stack(path)
        return np.asarray(jax.device_get(params[whole][layer]))

    prefix = family.prefix
    return {
        prefix + entry.key[1:] if entry.key.startswith(".") else entry.key: entry.write(
            [value(path) for path in entry.paths]
        )
        for entry in entries
    }
