"""What the files beside a vocabulary say of tokens: which were added, which begin and end texts."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaxgpt.core.wording import quoted
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Tokens by their names in transformers' files, and what they are here; the first that is there counts.
_NAMED = {
    "bos_id": ("bos_token", "cls_token"),
    "eos_id": ("eos_token", "sep_token"),
    "pad_id": ("pad_token",),
    "mask_id": ("mask_token",),
}
_SPECIAL = (*(name for names in _NAMED.values() for name in names), "unk_token")
_IDS = (
    *("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"),
    *("forced_bos_token_id", "forced_eos_token_id"),
)
#: What transformers takes where no file says how a text ends, by `model_type`: the defaults of its classes.
ENDS = {
    **{"gpt2": 50256, "gpt_neo": 50256, "gptj": 50256, "gpt_neox": 2, "opt": 2, "llama": 2, "mistral": 2},
    **{"phi3": 32000, "olmo2": 50279, "gemma": 1, "gemma2": 1, "gemma3_text": 1, "bart": 2, "reformer": 2},
    **{"transfo-xl": 0, "marian": 0, "t5": 1, "mt5": 1},
}
#: The same of how a decoder behind an encoder begins. T5's class has none and names this one as the usual.
STARTS = {"bart": 2, "marian": 58100, "mt5": 0, "t5": 0}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


@dataclasses.dataclass(frozen=True)
class Declared:
    """The tokens that a directory declares outside of its vocabulary.

    Attributes:
      added: tokens beside the vocabulary as `added_tokens` of a `tokenizer.json` has them, by id.
      names: texts of special tokens by their names, such as `eos_token`.
      extra: texts of further special tokens.
      ids: `bos_token_id`, `eos_token_id`, `decoder_start_token_id` and the like, where a file has them, each
        a list of ids.
      begins: whether texts begin with bos (`add_bos_token`); None where nothing says so.
      source: what names a file in messages.
    """

    added: tuple[dict[str, Any], ...] = ()
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    extra: tuple[str, ...] = ()
    ids: Mapping[str, list[int]] = dataclasses.field(default_factory=dict)
    begins: bool | None = None
    source: str = "the directory"

    @classmethod
    def of(cls, path: Path, read: Callable[[Path], dict[str, Any]]) -> "Declared":
        """What a directory's files say, each as far as transformers reads it.

        Tokens are in `tokenizer_config.json`; where that has no `added_tokens_decoder`, what
        `special_tokens_map.json` says counts more, and `added_tokens.json` counts, too. Ids are in
        `generation_config.json`, and those that it leaves out in `config.json`. Without the first, the end
        that the second leaves out is the default of its `model_type`, and so is the start.

        Args:
          read: gives the object in a JSON file.

        Raises:
          ValueError: for a file that cannot be read, or holds what is no token or no id.
        """

        def found(name: str) -> dict[str, Any]:
            return read(path / name) if (path / name).is_file() else {}

        settings = found("tokenizer_config.json")
        listed = settings.get("added_tokens_decoder")
        if listed is None:
            settings = settings | found("special_tokens_map.json")
        names = {name: _text(path, name, settings[name]) for name in _SPECIAL if settings.get(name)}
        extra = settings.get("additional_special_tokens") or settings.get("extra_special_tokens") or []
        extra = [*extra.values()] if isinstance(extra, dict) else extra
        if not isinstance(extra, list):
            raise ValueError(f"{path}: additional_special_tokens is no list of tokens")
        extra = tuple(_text(path, "additional_special_tokens", token) for token in extra)
        if listed is None:
            special = {*names.values(), *extra}
            listed = {
                index: {"content": text, "special": text in special, "normalized": text not in special}
                for text, index in found("added_tokens.json").items()
            }
        # Older directories of whole models have the ids in config.json alone.
        ids = {}
        for source in ("config.json", "generation_config.json"):
            for name in _IDS:
                if (value := found(source).get(name)) is not None:
                    ids[name] = _ids(path / source, name, value)
        config = found("config.json")
        if config and not (path / "generation_config.json").is_file():
            for name, usual in (("eos_token_id", ENDS), ("decoder_start_token_id", STARTS)):
                if name not in config and (value := usual.get(str(config.get("model_type")))) is not None:
                    ids[name] = [value]
        begins = settings.get("add_bos_token")
        if begins is not None and type(begins) is not bool:
            raise ValueError(f"{path / 'tokenizer_config.json'}: add_bos_token is neither true nor false")
        return cls(_added(path, listed), names, extra, ids, begins, str(path))

    def begins_or(self, usual: bool) -> bool:
        """Whether texts begin with bos, where no file says so as usual."""
        return usual if self.begins is None else self.begins

    def special(self, special: dict[str, int], known: Mapping[str, int]) -> tuple[dict[str, int], list[int]]:
        """pad_id, bos_id, eos_id and mask_id, as far as a file says them, and all ids that end a text.

        Args:
          special: the ids of the vocabulary's special tokens; `known`: of all its tokens.
        """
        told: dict[str, int] = {}
        for key, names in _NAMED.items():
            text = next((self.names[name] for name in names if name in self.names), None)
            if text in known:
                told[key] = known[text]
        specials = {*special.values(), *told.values()}
        for key in ("bos_id", "pad_id"):
            ids = [i for i in self.ids.get(key.replace("_id", "_token_id"), []) if i in specials]
            if ids:
                told.setdefault(key, ids[0])
        ends = [i for i in self.ids.get("eos_token_id", []) if 0 <= i <= max(known.values(), default=-1)]
        if told.get("eos_id") not in ends and (ids := [i for i in ends if i in specials]):
            told["eos_id"] = ids[0]  # the model's word for its end counts more than its tokenizer's
        return told, ends


#: Of a file without a directory.
NOTHING = Declared()


def ending(tokenizer: Tokenizer, ends: list[int]) -> Tokenizer:
    """The tokenizer whose texts end with any of these ids, and with eos in any case."""
    ids = [*dict.fromkeys([tokenizer.eos_id, *ends])]
    return tokenizer.used_with(end_ids=ids) if len(ids) > 1 else tokenizer


def _text(path: Path, name: str, token: Any) -> str:
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str):
        raise ValueError(f"{path}: {name}={quoted(str(token))} is no token")
    return text


def _ids(path: Path, name: str, value: Any) -> list[int]:
    ids = value if isinstance(value, list) else [value]
    if not all(type(i) is int for i in ids):
        raise ValueError(f"{path}: {name}={quoted(str(value))} is neither an id nor a list of ids")
    return ids


def _added(path: Path, listed: Any) -> tuple[dict[str, Any], ...]:
    """Added tokens in the order of their ids."""
    found = []
    for index, token in listed.items() if isinstance(listed, dict) else ((None, None),):
        text = token.get("content") if isinstance(token, dict) else None
        flags = {name: token.get(name, False) for name in _FLAGS} if text else {}
        told = isinstance(text, str) and text and not {*map(type, flags.values())} - {bool}
        if not told or not str(index).isdecimal():
            raise ValueError(f"{path}: {quoted(json.dumps({str(index): token}))} is no added token")
        if type(token.get("normalized")) is not bool:
            flags["normalized"] = not flags["special"]
        found.append({"id": int(index), "content": text} | flags)
    return tuple(sorted(found, key=lambda token: token["id"]))
