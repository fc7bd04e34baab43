"""The tokenizer beside a model's weights."""

import json
from pathlib import Path
from typing import Any

from jaxgpt.core import foreign
from jaxgpt.models.config import ModelConfig
from jaxgpt.tokenizers import directory
from jaxgpt.tokenizers._library import template
from jaxgpt.tokenizers.huggingface import HuggingFace
from jaxgpt.tokenizers.sentencepiece import SentencePiece
from jaxgpt.tokenizers.tokenizer import Tokenizer

_TEMPLATE, _TEMPLATES = "chat_template.jinja", "additional_chat_templates"


def read(path: Path) -> Tokenizer | None:
    """The tokenizer of a directory: one that `write` left, or one of transformers; None without any.

    Raises:
      ValueError: if there is one and it cannot be read.
    """
    names = (directory.EXPORTED, "tokenizer.json", "vocab.txt")
    whole = any((path / name).exists() for name in names) or (
        (path / "vocab.json").exists() and (path / "merges.txt").exists()
    )
    return directory.load(path) if whole or any(path.glob("*.model")) else None


def begun_as(path: Path, tokenizer: Tokenizer, kind: str) -> Tokenizer:
    """The tokenizer of a directory, or one over its ids, with prompts as transformers begins them there.

    What a `tokenizer.json` puts before a text begins a prompt; beside other files `add_bos_token` says
    whether bos does: GPT-1's and GPT-2's do not have it, SentencePiece's models with a bos do. What the
    decoder behind an encoder writes begins with `decoder_start_token_id`.

    Args:
      kind: of the model; what an encoder reads begins with bos.

    Raises:
      ValueError: for an id outside of the vocabulary.
    """
    own = read(path)
    if kind == "encoder" or own is None or (path / directory.EXPORTED).is_file():
        return tokenizer
    if kind == "encoder_decoder":
        begin = tuple(directory.declared(path).ids.get("decoder_start_token_id", [tokenizer.bos_id]))
    elif isinstance(own, HuggingFace) and (path / "tokenizer.json").is_file():
        begin = own.template
    else:
        usual = isinstance(own, SentencePiece) and own.has_bos
        begin = (own.bos_id,) if directory.declared(path).begins_or(usual) else ()
    return tokenizer if begin == tokenizer.begin_ids else tokenizer.used_with(begin_ids=begin)


def chat_template(path: Path) -> str | dict[str, str] | None:
    """The template of a directory's chats, or several by name, as text that nothing here runs.

    Files count more than `chat_template` of `tokenizer_config.json`, as in transformers.

    Raises:
      ValueError: if it is no text, or a link leads out of the directory.
    """
    found = {}
    if (path / _TEMPLATE).exists():
        found["default"] = foreign.read_text(path / _TEMPLATE)
    folder = path / _TEMPLATES
    if folder.is_symlink():
        raise ValueError(f"{folder} is a link that leads elsewhere; put the files themselves there")
    for file in sorted(folder.glob("*.jinja")):
        found[file.stem] = foreign.read_text(file)
    if found:
        return found["default"] if [*found] == ["default"] else found
    settings = path / "tokenizer_config.json"
    given = foreign.read_json(settings) if settings.is_file() else None
    given = given.get("chat_template") if isinstance(given, dict) else None
    if isinstance(given, list) and all(isinstance(one, dict) for one in given):
        given = {one.get("name"): one.get("template") for one in given}
    texts = [*given, *given.values()] if isinstance(given, dict) else [given]
    if given is not None and not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{settings}: chat_template is neither a text nor a list of names and templates")
    return given


def write(
    tokenizer: Tokenizer, path: Path, config: ModelConfig, chat: str | dict[str, str] | None = None
) -> None:
    """The tokenizer as `AutoTokenizer` reads it: `tokenizer.json` and `tokenizer_config.json`.

    Around a text stands what the model was trained with: before a decoder's what begins a prompt, behind an
    encoder's source its end, around what an encoder alone reads both.

    Args:
      chat: what `chat_template` found.

    Raises:
      ValueError: if the `tokenizers` library has no form for it.
    """
    before, behind = {
        "decoder": (tokenizer.begin_ids, ()),
        "encoder_decoder": ((), (tokenizer.eos_id,)),
        "encoder": ((tokenizer.bos_id,), (tokenizer.eos_id,)),
    }[config.kind]
    settings: dict[str, Any] = {}
    if isinstance(tokenizer, HuggingFace):
        definition, names = tokenizer.named()
        other = config.kind == "decoder" and tokenizer.template != before
        if definition["post_processor"] is None or other:
            definition["post_processor"] = template(names, before, behind)
        cut = definition["pre_tokenizer"] or {}
        settings |= {name: cut[name] for name in ("add_prefix_space",) if name in cut}
    else:
        form = tokenizer.form()
        if form is None:
            raise ValueError(
                f"the tokenizer {type(tokenizer).kind()} has no form in the tokenizers library, so "
                "transformers cannot read text with it; export the model alone (--tokenizer jaxgpt, "
                "or save_hf without tokenizer=)"
            )
        definition, names = form.definition(before, behind), form.names
        settings["split_special_tokens"] = True  # no text names a special token
    known = {name: names.get(getattr(tokenizer, f"{name}_id")) for name in ("bos", "eos", "pad", "mask")}
    if config.kind == "encoder":
        known |= {"cls": known["bos"], "sep": known["eos"]}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    settings |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_length,
        "model_input_names": inputs if config.segments else [inputs[0], inputs[2]],
        "padding_side": "left" if config.kind == "decoder" else "right",
        "clean_up_tokenization_spaces": False,
        "add_bos_token": bool(before),
        **{f"{name}_token": text for name, text in known.items() if text is not None},
    }
    if chat is not None:
        several = isinstance(chat, dict)
        listed = [{"name": name, "template": text} for name, text in chat.items()] if several else chat
        settings["chat_template"] = listed
    for name, data in (("tokenizer.json", definition), ("tokenizer_config.json", settings)):
        text = json.dumps(data, ensure_ascii=False, indent=1 if data is settings else None)
        (path / name).write_text(text + "\n", encoding="utf-8")


def write_none(path: Path) -> None:
    """Says that transformers has no tokenizer here, where it would take an empty one of the model's class."""
    text = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}) + "\n"
    (path / "tokenizer_config.json").write_text(text, encoding="utf-8")
