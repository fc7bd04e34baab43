"""Byte pairs against the definition, written again from the paper's description."""

import functools
import itertools
import json

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.tokenizers.directory import load

WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@functools.cache
def spelling() -> list[str]:
    """How the vocabulary file spells each byte."""
    letters, free = [], 256
    for value in range(256):
        if 33 <= value <= 126 or 161 <= value <= 172 or value >= 174:
            letters.append(chr(value))
        else:
            letters.append(chr(free))
            free += 1
    return letters


def by_definition(text: str, vocab: dict[str, int], rank: dict[tuple[str, str], int]) -> list[int]:
    """Join the best-ranked pair, wherever it stands in the word, until no pair has a rank."""
    ids = []
    for word in WORDS.findall(text):
        parts = [spelling()[value] for value in word.encode()]
        while True:
            ranked = [rank[pair] for pair in itertools.pairwise(parts) if pair in rank]
            if not ranked:
                break
            left, right = next(pair for pair in itertools.pairwise(parts) if rank.get(pair) == min(ranked))
            joined, i = [], 0
            while i < len(parts):
                both = parts[i : i + 2] == [left, right]
                joined.append(left + right if both else parts[i])
                i += 1 + both
            parts = joined
        ids += [vocab[part] for part in parts]
    return ids


def expected(tokenizer: BytePairs, text: str) -> list[int]:
    rank = {pair: i for i, pair in enumerate(tokenizer.merges)}
    return by_definition(text, tokenizer.vocab, rank)


# Unassigned code points are left out: libraries differ in the year of their Unicode tables.
UNICODE = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=20)
WORD_LIST = [
    "the",
    "thought",
    "it's",
    "we'll",
    "THEY'RE",
    "12345",
    "and,",
    "",
    "\n\n",
    "\t",
    "naïve",
    "☃",
    "…",
]
ENGLISH = st.lists(st.sampled_from(WORD_LIST), max_size=12).map(" ".join)
relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("kind", ["bpe", "digits:1:right:bpe", "sentencepiece", "lexicon"])
@pytest.mark.parametrize("size", [5_000_000_000, 10**20, "9" * 5000])
def test_more_ids_than_a_tokenizer_can_have_are_refused(built, kind, size):
    with pytest.raises(ValueError, match=r"SIZE is a whole number .*1,000,000"):
        built(f"{kind}:{size}")


@given(text=st.one_of(UNICODE, ENGLISH))
@relaxed
def test_trained_here_agrees_with_the_definition(built, text):
    tokenizer = built("bpe:400")
    assert tokenizer.encode(text) == expected(tokenizer, text)


@pytest.mark.thorough
@given(text=st.one_of(UNICODE, ENGLISH))
@relaxed
def test_gpt2_agrees_with_the_definition(gpt2, text):
    assert gpt2.encode(text) == expected(gpt2, text)


def test_gpt2_on_a_corpus(gpt2, shared_data):
    text = (shared_data / "wikipedia_en_sample.txt").read_text(encoding="utf-8")[:30_000]
    assert gpt2.encode(text) == expected(gpt2, text)


def test_gpt2_published_ids(gpt2):
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.encode("Hello, my dog is cute") == [15496, 11, 616, 3290, 318, 13779]
    assert gpt2.vocab_size == 50257
    assert (gpt2.pad_id, gpt2.bos_id, gpt2.eos_id) == (50256,) * 3


@pytest.mark.parametrize("spec", ["bpe:400", "sentencepiece:400", "sentencepiece:400:bpe"])
def test_special_names_are_ordinary_text(built, spec):
    text = "<|endoftext|> <s></s><pad><unk>"
    tokenizer = built(spec)
    special = {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id}
    assert special.isdisjoint(tokenizer.encode(text))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_gpt2_end_of_text_is_ordinary_text(gpt2):
    ids = gpt2.encode("a<|endoftext|>b")
    assert 50256 not in ids
    assert gpt2.decode(ids) == "a<|endoftext|>b"
    assert gpt2.decode([ids[0], 50256, ids[-1]]) == "ab"


def test_training_learns_the_frequent_pairs_and_stops_at_the_size():
    tokenizer = BytePairs.train(["ababab ababab"] * 3, 262)
    assert tokenizer.merges[0] == ("a", "b")
    assert tokenizer.vocab_size == 262
    assert BytePairs.train(["ab"], 1000).vocab_size == 260
    assert len(tokenizer.encode("ab")) == 1


def test_a_merge_that_spells_a_special_name_gives_an_ordinary_token(tmp_path):
    letters = spelling()
    vocab = {letter: i for i, letter in enumerate(letters)} | {"<s": 256, "<s>": 257, "</s>": 258}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n< s\n<s >\n", encoding="utf-8")
    tokenizer = load(tmp_path)
    assert tokenizer.decode([257]) == "<s>"
    assert (tokenizer.bos_id, tokenizer.eos_id) == (258, 258)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"vocab": {"a": 0}}, "lacks the byte"),
        ({"merges": [["zz", "y"]]}, "the merge 'zz y' uses or gives"),
        ({"merges": ["a b"]}, "is not a pair"),
        ({"pad_id": 9000}, "are not 0, 1, 2"),
        ({"pad_id": 40}, "the special id 40 is that of the ordinary token"),
        ({"pad_id": "0"}, "no 'pad_id' of type int"),
        ({"vocab": {"a": []}}, "a whole number of its own"),
    ],
)
def test_malformed_json(built, change, line):
    with pytest.raises(ValueError, match=line):
        BytePairs.from_json(built("bpe:259").to_json() | change)
