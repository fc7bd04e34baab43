"""A tokenizer as the `tokenizers` library computes it: the parts of a `tokenizer.json`."""

import dataclasses
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

#: A name that no vocabulary has: what is outside of the vocabulary is then an error, and is not left out.
_NO_TOKEN = "<|outside of the vocabulary|>"
_DIGIT = re.compile("[0-9]")
#: Every character, line ends among them.
ANY = r"[\s\S]"


@dataclasses.dataclass(frozen=True)
class Form:
    """The parts of a `tokenizer.json`.

    Attributes:
      model: of the types `WordLevel`, `BPE` and `Unigram`.
      cuts: pre-tokenizers, one after another.
      decoders: one after another; what they give is one text.
      names: of the special ids, which the model's vocabulary has too.
      normalizer: None: text stays as it is.
      added: ordinary added tokens.
    """

    model: Mapping[str, Any]
    cuts: tuple[dict[str, Any], ...]
    decoders: tuple[dict[str, Any], ...]
    names: Mapping[int, str]
    normalizer: dict[str, Any] | None = None
    added: tuple[dict[str, Any], ...] = ()

    def definition(self, before: Sequence[int] = (), behind: Sequence[int] = ()) -> dict[str, Any]:
        """The contents of `tokenizer.json`, with special ids around each text."""
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        special = [{"id": i, "content": self.names[i], **flags, "special": True} for i in sorted(self.names)]
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": sorted([*special, *self.added], key=lambda token: token["id"]),
            "normalizer": self.normalizer,
            "pre_tokenizer": _chain("pretokenizers", self.cuts),
            "post_processor": template(self.names, before, behind),
            "decoder": _chain("decoders", self.decoders),
            "model": self.model,
        }


def _chain(key: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"type": "Sequence", key: list(parts)}


def template(names: Mapping[int, str], before: Sequence[int], behind: Sequence[int]) -> dict[str, Any] | None:
    """A post-processor that puts special ids around a text, and behind each of two; None for no ids."""
    ids = dict.fromkeys([*before, *behind])
    if not ids:
        return None

    def special(index):
        return {"SpecialToken": {"id": names[index], "type_id": 0}}

    def text(name):
        return [{"Sequence": {"id": name, "type_id": 0}}, *map(special, behind)]

    single = [*map(special, before), *text("A")]
    tokens = {names[i]: {"id": names[i], "ids": [i], "tokens": [names[i]]} for i in ids}
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, *text("B")],
        "special_tokens": tokens,
    }


def split(pattern: str) -> dict[str, Any]:
    """A cut around each match of a regular expression."""
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def cut_names(names: Iterable[str], pieces: Container[str]) -> tuple[dict[str, Any], ...]:
    """A cut inside each text like one of the names, beside a character of it that is in no piece."""
    patterns = []
    for name in names:
        at = next((i for i, character in enumerate(name) if character not in pieces), None)
        if at is not None:
            at = max(at, 1)
            patterns.append(f"{re.escape(name[:at])}(?={re.escape(name[at:])})")
    cut = split("|".join(patterns)) | {"behavior": "MergedWithPrevious"}
    return (cut,) if patterns else ()


def byte_level(*, words: bool) -> dict[str, Any]:
    """A cut into GPT-2's words, if asked for, whose bytes are then named as GPT-2 names them."""
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": words}


def special_names(tokenizer: Any, vocab: Mapping[str, int] | None = None) -> dict[int, str]:
    """A name for each special id: the vocabulary's own, or one like `<|pad|>` that no other token has."""
    vocab = vocab or {}
    own = {i: name for name, i in vocab.items()}
    names: dict[int, str] = {}
    for key in ("eos", "bos", "pad", "mask"):
        index, name = getattr(tokenizer, f"{key}_id"), f"<|{key}|>"
        while name in vocab and index not in own:
            name = f"<{name}>"
        if index is not None:
            names.setdefault(index, own.get(index, name))
    return names


def word_level(texts: Mapping[str, int], names: Mapping[int, str], cut: str) -> Form:
    """A vocabulary of whole texts, which `cut` finds."""
    vocab = {name: i for i, name in names.items()} | dict(texts)
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": _NO_TOKEN}
    return Form(model, (split(cut),), ({"type": "Fuse"},), names)


def byte_pairs(
    vocab: Mapping[str, int], merges: Sequence[Sequence[str]], names: Mapping[int, str], *, words: bool
) -> Form:
    """Byte pairs over bytes with GPT-2's names."""
    model = bpe_model({name: i for i, name in names.items()} | dict(vocab), merges)
    return Form(model, (byte_level(words=words),), (byte_level(words=words),), names)


def bpe_model(vocab: Mapping[str, int], merges: Sequence[Sequence[str]], **more: Any) -> dict[str, Any]:
    """A model of byte pairs, the earliest merge first."""
    pairs = [list(pair) for pair in merges]
    return {"type": "BPE", "unk_token": _NO_TOKEN, "vocab": dict(vocab), "merges": pairs} | more


def with_groups(form: Form, groups: Mapping[str, int], cut: str) -> Form | None:
    """The form whose numbers are tokens of their own, which the rest of the text never meets.

    Args:
      groups: the ids of all digits, and of all texts of digits that `cut` finds.
    """
    if form.normalizer is not None or any(_DIGIT.search(token["content"]) for token in form.added):
        return None  # which come before the cuts
    kind = form.model["type"]
    if kind == "WordLevel":
        vocab = form.model["vocab"] | dict(groups)
        return dataclasses.replace(form, model=form.model | {"vocab": vocab}, cuts=(split(f"{cut}|{ANY}"),))
    cuts = (split(cut), *form.cuts)
    if kind == "BPE":
        if form.model.get("ignore_merges"):
            return None
        # Whatever way a group is put together, each part of it is a group and each two parts have a merge.
        kept = [pair for pair in form.model["merges"] if not _DIGIT.search("".join(pair))]
        parts = [[group[:i], group[i:]] for group in groups for i in range(1, len(group))]
        model = form.model | {"vocab": form.model["vocab"] | dict(groups), "merges": kept + parts}
    else:
        vocab = [list(piece) for piece in form.model["vocab"]]
        for group, index in groups.items():
            vocab[len(vocab) :] = [["", 0.0]] * (index + 1 - len(vocab))
            vocab[index] = [group, 0.0]  # likelier than any two pieces
        model = form.model | {"vocab": vocab}
    return dataclasses.replace(form, model=model, cuts=cuts)


def with_separator(form: Form, gap: str, separator: str, added: str) -> Form | None:
    """The form with a separator put in where `gap` matches, and taken out again where `added` does."""
    if form.normalizer is not None or form.added:
        return None
    put = {"type": "Replace", "pattern": {"Regex": gap}, "content": separator}
    taken = {"type": "Replace", "pattern": {"Regex": added}, "content": ""}
    return dataclasses.replace(form, normalizer=put, decoders=(*form.decoders, {"type": "Fuse"}, taken))


def cut_down(form: Form, ids: Mapping[int, int], names: Mapping[int, str]) -> Form | None:
    """The form of the tokens that are kept, with new ids; nothing else is read.

    Args:
      ids: the new id of each that is kept.
      names: of the special ids, by their new ids.
    """
    kind = form.model["type"]
    if kind == "Unigram" or form.added:
        return None
    vocab = {name: ids[i] for name, i in form.model["vocab"].items() if i in ids}
    model = form.model | {"vocab": vocab}
    if kind == "BPE":
        pairs = [pair for pair in form.model["merges"] if "".join(pair) in vocab]
        if any(part not in vocab for pair in pairs for part in pair):
            return None  # a character's bytes, which are no tokens that are kept
        model["merges"] = pairs
    return dataclasses.replace(form, model=model, names=names)
