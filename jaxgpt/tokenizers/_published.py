"""Vocabularies as their papers' code published them, before there was a `tokenizer.json`."""

from collections.abc import Sequence
from typing import Any

from jaxgpt.tokenizers._special import mask_id, special_ids
from jaxgpt.tokenizers.bpe import BytePairs, check_ids, check_pairs
from jaxgpt.tokenizers.declared import Declared, ending
from jaxgpt.tokenizers.huggingface import HuggingFace
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Ends a word in GPT-1's vocabulary.
_END = "</w>"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def word_pieces(lines: str, settings: dict[str, Any], files: Declared) -> Tokenizer:
    """BERT's `vocab.txt`, a word or a part of one (`##ing`) on each line, whose number is its id.

    Wu et al. 2016, arXiv 1609.08144; the cutting into words is that of BERT's own code.

    Args:
      settings: the contents of `tokenizer_config.json`, of which `do_lower_case` (true without it),
        `strip_accents` and `tokenize_chinese_chars` are read.
      files: what the directory says of its tokens.

    Raises:
      ValueError: if there is no word for what is unknown, or a setting is neither true nor false.
    """
    words = lines.removesuffix("\n").split("\n")  # other ends of lines are words of some vocabularies
    vocab = {word.rstrip("\r"): index for index, word in enumerate(words)}
    unknown = settings.get("unk_token", "[UNK]")
    unknown = unknown.get("content") if isinstance(unknown, dict) else unknown
    if unknown not in vocab:
        raise ValueError(f"it has no line {unknown}, which stands for unknown words")
    lower = settings.get("do_lower_case", True)
    accents, chinese = settings.get("strip_accents"), settings.get("tokenize_chinese_chars", True)
    if not (type(lower) is type(chinese) is bool and (accents is None or type(accents) is bool)):
        raise ValueError("do_lower_case, strip_accents and tokenize_chinese_chars are true or false")
    model = {
        "type": "WordPiece",
        "unk_token": unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": vocab,
    }
    decoder = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    definition = _definition(model, _normalizer(lower, accents, chinese), decoder, (*_SPECIAL, unknown))
    return HuggingFace.declared(definition, files)


def byte_pairs(vocab: dict[str, int], merges: Sequence[tuple[str, ...]], files: Declared) -> Tokenizer:
    """`vocab.json` with `merges.txt`: GPT-2's, over bytes, or GPT-1's, over lower-case words.

    Raises:
      ValueError: if they do not fit each other.
    """
    check_ids(vocab)
    merged = {"".join(pair) for pair in merges}
    if any(token.endswith(_END) for token in merged):
        model = {
            "type": "BPE",
            "unk_token": "<unk>",
            "end_of_word_suffix": _END,
            "fuse_unk": False,
            "vocab": vocab,
            "merges": [list(pair) for pair in merges],
        }
        decoder = {"type": "BPEDecoder", "suffix": _END}
        definition = _definition(model, _normalizer(True, None, True), decoder, ("<unk>",))
        return HuggingFace.declared(definition, files)
    if any(not token["special"] for token in files.added):
        check_pairs(vocab, merges)
        return HuggingFace.declared(byte_level(vocab, merges), files)
    vocab = vocab | {token["content"]: token["id"] for token in files.added}
    # A name that bytes merge into is an ordinary token, whatever it looks like.
    named = {token: i for token, i in vocab.items() if token not in merged and len(token) > 1}
    told, ends = files.special(named, vocab)
    found = special_ids(named, len(vocab), told) | {"mask_id": told.get("mask_id", mask_id(named))}
    return ending(BytePairs(vocab, merges, **found), ends)


def byte_level(vocab: dict[str, int], merges: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """GPT-2's byte pairs as a `tokenizer.json`, without added tokens."""
    model = {"type": "BPE", "vocab": vocab, "merges": [list(pair) for pair in merges]}
    cut = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return _definition(model, None, {"type": "ByteLevel"} | cut, ()) | {"pre_tokenizer": cut}


def _normalizer(lower: bool, accents: bool | None, chinese: bool) -> dict[str, Any]:
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": chinese,
        "strip_accents": accents,
        "lowercase": lower,
    }


def _definition(model, normalizer, decoder, special: Sequence[str]) -> dict[str, Any]:
    """A `tokenizer.json`, of which the special tokens are those that the vocabulary has."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    present = dict.fromkeys(name for name in special if name in model["vocab"])
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": model["vocab"][name], "content": name} | flags for name in present],
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }
