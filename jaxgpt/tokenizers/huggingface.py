"""Any `tokenizer.json` of the Hugging Face `tokenizers` library."""

import functools
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.core.wording import quoted
from jaxgpt.tokenizers import _library as _form
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers._special import MOST_BEYOND, check_told, mask_id, special_ids
from jaxgpt.tokenizers.declared import Declared, ending
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer, check_same, field, look_up, utf8

#: A byte among the tokens of a SentencePiece vocabulary.
_BYTE = re.compile("<0x[0-9A-Fa-f]{2}>")


class HuggingFace(Tokenizer):
    """A tokenizer of the `tokenizers` library, as its `tokenizer.json` describes it.

    Special tokens are never produced from text, nor is anything that the file puts around a text; every other
    added token is. A file that normalizes text (lower case, other spaces), or has a token for what it does
    not know, is `lossy` and reads any text as transformers does. Special ids: see `_special.special_ids`.

    Args:
      definition: the contents of `tokenizer.json`.
      special: pad_id, bos_id, eos_id and mask_id that other files name; those left out have usual names.

    Raises:
      ValueError: if the library does not take it, or a special id is none of its ids.
    """

    is_held = True
    usage = "huggingface:PATH of a tokenizer.json"

    def __init__(self, definition: dict[str, Any], special: dict[str, int] | None = None):
        self.definition = definition
        self.special = dict(special or {})
        self._library = _library(definition)
        known, named = tokens_of(self._library)
        size = 1 + max(known.values(), default=-1)
        if size - len(known) > MOST_BEYOND:
            raise ValueError(f"the id {size - 1} is far beyond the {len(known):,} tokens that there are")
        check_told(self.special, size + 1)
        found = special_ids(named, size, {k: i for k, i in self.special.items() if k != "mask_id"})
        self.pad_id, self.bos_id, self.eos_id = (found[k] for k in ("pad_id", "bos_id", "eos_id"))
        self.mask_id = self.special.get("mask_id", mask_id(named))
        whole = definition.get("normalizer") is None and (definition.get("decoder") or {}).get("type")
        self._lossy = whole != "ByteLevel"
        self._special = {*named.values(), *found.values()}
        self._size = max(size, 1 + max(self._special))

    @classmethod
    def declared(cls, definition: dict[str, Any], files: Declared) -> "HuggingFace":
        """With what other files of the directory say of its tokens.

        Raises:
          ValueError: as for the tokenizer itself, and if another id is told than a token gets.
        """
        library = _library(definition)
        if _add(library, files):
            definition = json.loads(library.to_str())
        known, named = tokens_of(library)
        told, ends = files.special(named, known)
        usual = cls(definition)
        same = all(getattr(usual, key) == i for key, i in told.items())
        return ending(usual if same else cls(definition, told), ends)

    @property
    def template(self) -> tuple[int, ...]:
        """The ids that the file itself puts before a text."""
        found = self._library.encode("0", add_special_tokens=True)
        before = itertools.takewhile(lambda i: found.special_tokens_mask[i], range(len(found.ids)))
        return tuple(found.ids[i] for i in before)

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "HuggingFace":
        raise cls.wrong_spec(arguments, "is read from its path by tokenizers.build")

    @property
    def lossy(self) -> bool:
        return self._lossy

    @property
    def vocab_size(self) -> int:
        return self._size

    def encode(self, text: str) -> list[int]:
        utf8(text)
        ids = self._library.encode(text, add_special_tokens=False).ids
        if not self._lossy:
            # Special ids decode to nothing, so a text that one was made from differs, too.
            check_same(text, self.decode(ids), "this tokenizer.json drops or changes it; use bytes")
        return ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        return self._library.encode(text, add_special_tokens=False).offsets

    def decode(self, ids: Iterable[int]) -> str:
        ids = [i for i in look_up(range(self._size), ids) if i not in self._special]
        return self._library.decode(ids, skip_special_tokens=False)

    def settled(self, ids: Sequence[int]) -> str:
        # Bytes that follow each other are U+FFFD, each of them, unless all together are whole characters.
        ids = [i for i in look_up(range(self._size), ids) if i not in self._special]
        while ids and ids[-1] in self._bytes:
            ids.pop()
        return super().settled(ids)

    @functools.cached_property
    def _bytes(self) -> set[int]:
        """The ids that the library decodes as bytes, as many as follow each other at once."""
        known, _ = tokens_of(self._library)
        return {i for name, i in known.items() if _BYTE.fullmatch(name) and self.decode([i]) != name}

    def token_texts(self) -> list[str]:
        # Behind another token, because a decoder may take off the space at the start of a text.
        anchors = [i for i in range(self._size) if self.decode([i]) in ("a", "e", "1")]
        anchor = ([i for i in anchors if self.decode([i, i]) == 2 * self.decode([i])] or anchors)[:1]
        start = len(self.decode(anchor))
        return ["" if i in self._special else self.decode([*anchor, i])[start:] for i in range(self._size)]

    def form(self) -> Form | None:
        """Of byte pairs over bytes, which other tokenizers build on; all others stand for themselves."""
        whole = json.loads(self._library.to_str())
        model, cut = whole["model"], whole["pre_tokenizer"]
        if self._lossy or model["type"] != "BPE" or model.get("dropout") or cut is None:
            return None
        added = tuple(token for token in whole["added_tokens"] if not token["special"])
        names = {token["id"]: token["content"] for token in whole["added_tokens"] if token["special"]}
        vocab = model["vocab"] | {token["content"]: token["id"] for token in whole["added_tokens"]}
        names = names | _form.special_names(self, vocab)
        model = model | {"vocab": vocab | {name: i for i, name in names.items()}}
        cuts = cut["pretokenizers"] if cut["type"] == "Sequence" else [cut]
        return Form(model, tuple(cuts), (whole["decoder"],), names, added=added)

    def named(self) -> tuple[dict[str, Any], dict[int, str]]:
        """The contents of a `tokenizer.json` in which each special id has a name, and these names."""
        from tokenizers import AddedToken

        library = _library(self.definition)
        known, special = tokens_of(library)
        names = {i: text for text, i in special.items()} | _form.special_names(self, known)
        for index in sorted(names):
            if library.id_to_token(index) is None:
                library.add_tokens([AddedToken(names[index], special=True, normalized=False)])
        return json.loads(library.to_str()), names

    def to_json(self) -> dict[str, Any]:
        return {"definition": self.definition} | ({"special": self.special} if self.special else {})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "HuggingFace":
        special = field(data, "special", dict) if "special" in data else None
        return cls(field(data, "definition", dict), special)


def tokens_of(library: Any) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of all tokens, and those of the special ones among them."""
    added = library.get_added_tokens_decoder()
    return library.get_vocab(with_added_tokens=True), {t.content: i for i, t in added.items() if t.special}


def _library(definition: dict[str, Any]) -> Any:
    """The library's tokenizer, which reads special tokens in a text as the text that they are."""
    from tokenizers import Tokenizer as Library

    try:
        found = Library.from_str(json.dumps(definition))
    except Exception as error:  # the library raises nothing narrower
        reason = " ".join(str(error).split())
        raise ValueError(f"the tokenizers library does not take this tokenizer.json: {reason}") from error
    found.encode_special_tokens = True
    found.no_truncation()
    found.no_padding()
    return found


def _add(library: Any, files: Declared) -> bool:
    """Adds the tokens that other files declare, as transformers does; whether there were any."""
    from tokenizers import AddedToken

    have = library.get_added_tokens_decoder()
    special = {*files.names.values(), *files.extra}
    tokens = []
    for told in files.added:
        flags = {name: value for name, value in told.items() if name not in ("id", "content")}
        flags["special"] = told["special"] or told["content"] in special
        token = AddedToken(told["content"], **flags)
        if repr(token) not in {*map(repr, have.values())}:
            tokens.append((told["id"], token))
    present = {*(token.content for token in have.values()), *(token.content for _, token in tokens)}
    names = [text for text in dict.fromkeys([*files.names.values(), *files.extra]) if text not in present]
    tokens += [(None, AddedToken(text, special=True)) for text in names]
    for index, token in tokens:
        library.add_tokens([token])
        if index is not None and (found := library.token_to_id(token.content)) != index:
            raise ValueError(
                f"{files.source} adds {quoted(token.content)} as id {index}, which gets id {found} in its "
                "tokenizer.json; write both anew: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)"
            )
    return bool(tokens)
