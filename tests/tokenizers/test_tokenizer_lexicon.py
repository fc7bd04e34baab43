"""Frequent words as tokens, the rest spelled."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt import tokenizers
from jaxgpt.tokenizers.lexicon import Lexicon

TEXTS = ["the king and the queen", "the king, the son", "an état and 17 kings_a qx"]


@pytest.fixture(scope="module")
def lexicon():
    return tokenizers.build("lexicon:4", lambda: TEXTS)


def pieces(tokenizer, text):
    return [tokenizer.token_texts()[i] for i in tokenizer.encode(text)]


def test_the_most_frequent_words_are_tokens_with_the_space_before_them(lexicon):
    counts = Counter(word for text in TEXTS for word in re.findall(r" ?[a-zé]+", text) if len(word) > 1)
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:4]
    assert list(lexicon.words) == [word for word, _ in best] == [" and", " king", " the", "the"]
    assert pieces(lexicon, "the king and son") == ["the", " king", " and", " ", "s", "o", "n"]
    assert pieces(lexicon, "and the") == ["a", "n", "d", " the"]
    assert pieces(lexicon, "_the 17") == ["_", "the", " ", "1", "7"]


def test_a_part_of_a_longer_word_is_no_token(lexicon):
    assert pieces(lexicon, "kings  the") == [*"kings ", " the"]
    assert pieces(lexicon, " kings") == list(" kings")


@given(text=st.text("theking and,_17é"))
def test_texts_come_back(lexicon, text):
    assert lexicon.decode(lexicon.encode(text)) == text


@pytest.mark.parametrize("spec", ["lexicon", "lexicon:0", "lexicon:x", "lexicon:3:4"])
def test_other_sizes_are_refused(spec):
    with pytest.raises(ValueError, match=f"{spec}: SIZE is a whole number .*usage: lexicon:SIZE"):
        tokenizers.build(spec, lambda: TEXTS)


@pytest.mark.parametrize("words", [["a"], ["ab", "ab"], ["a b"], ["ax"], ["a1"], [""]])
def test_what_is_no_word_is_refused(words):
    with pytest.raises(ValueError, match=r"lexicon|no word"):
        Lexicon("ab 1", words)
