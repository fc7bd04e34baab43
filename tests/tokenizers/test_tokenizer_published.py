"""Vocabularies as BERT's, GPT-1's, RoBERTa's and ALBERT's authors published them."""

import io
import json

import pytest

import jaxgpt.tokenizers as tokenizers
from jaxgpt.data.rows import build_rows
from jaxgpt.task import Example
from jaxgpt.tokenizers import build

WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sum", "of", "is", "un", "##aff", "##able"),
    *("cafe", "##s", ",", ".", "!", *map(str, range(10)), *(f"##{i}" for i in range(10)), "12", "[unused0]"),
]


def nothing():
    raise AssertionError("a trained tokenizer reads no training text")


def word_pieces(text):
    """BERT's greedy search, longest piece first, of a text that is words and marks with spaces between."""
    found = []
    for word in text.split():
        pieces, start = [], 0
        while start < len(word):
            candidates = [word[start:end] for end in range(len(word), start, -1)]
            named = [("##" if start else "") + candidate for candidate in candidates]
            index = next((i for i, name in enumerate(named) if name in WORDS), None)
            if index is None:
                pieces = ["[UNK]"]
                break
            pieces.append(named[index])
            start += len(candidates[index])
        found += pieces
    return [WORDS.index(piece) for piece in found]


@pytest.fixture
def bert(tmp_path):
    """A directory with BERT's `vocab.txt`."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return tmp_path


def test_berts_word_pieces(bert):
    tokenizer = build(str(bert), nothing)
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.mask_id) == (0, 2, 3, 4)
    assert tokenizer.vocab_size == len(WORDS) and tokenizer.lossy
    for text, read in [
        ("the sum of 12 is 7", "the sum of 12 is 7"),
        ("unaffable cafes", "unaffable cafes"),
        ("The  SUM,of\n127 is\tCafés!", "the sum , of 127 is cafes !"),
        ("naïve ☃ the", "naive ☃ the"),
        ("[MASK] is", "[ mask ] is"),  # a text does not name special tokens
    ]:
        assert tokenizer.encode(text) == word_pieces(read)
    assert tokenizer.decode([2, *tokenizer.encode("The SUM of 127!"), 3]) == "the sum of 127!"
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    assert again.encode("The Sum") == word_pieces("the sum")
    texts = tokenizer.token_texts()
    assert texts[WORDS.index("##able")] == "able" and texts[:5] == [""] * 5


def test_what_a_model_is_to_write_must_come_back(bert):
    tokenizer = build(str(bert), nothing)
    assert tokenizer.encode_exactly("the sum") == tokenizer.encode("The Sum")
    with pytest.raises(ValueError, match=r"'S' .* at index 4 .* would write 'the sum'; write the answers so"):
        tokenizer.encode_exactly("the Sum")
    options = {"encoder_decoder": False, "max_length": 20}
    rows = build_rows([Example("The Sum ☃", "is")], tokenizer, **options)
    assert rows.ids(0) == [2, *word_pieces("the sum ☃ is"), 3]
    with pytest.raises(ValueError, match="would write 'is'"):
        build_rows([Example("the sum", "Is")], tokenizer, **options)


def test_where_tokens_stand_in_the_text_as_it_was(bert):
    text = "The  CAFÉS, 127"
    spans = build(str(bert), nothing).spans(text)
    assert [text[first:end] for first, end in spans] == ["The", "CAFÉ", "S", ",", "12", "7"]


def test_cased_word_pieces(bert):
    settings = bert / "tokenizer_config.json"
    settings.write_text(json.dumps({"do_lower_case": False, "unk_token": {"content": "[UNK]"}}))
    tokenizer = build(str(bert), nothing)
    assert tokenizer.encode("The sum") == [1, WORDS.index("sum")]
    settings.write_text(json.dumps({"do_lower_case": "no"}))
    with pytest.raises(ValueError, match=r"vocab\.txt: do_lower_case, .* are true or false"):
        build(str(bert), nothing)
    settings.write_text(json.dumps({"unk_token": "<unk>"}))
    with pytest.raises(ValueError, match=r"vocab\.txt: it has no line <unk>"):
        build(str(bert), nothing)


def test_digits_over_word_pieces(bert):
    tokenizer = build(f"digits:1:right:{bert}", nothing)
    assert tokenizer.lossy and tokenizer.vocab_size == len(WORDS)
    ids = tokenizer.encode("The sum of 127 is 12")
    assert len(ids) == 4 + 3 + 2
    assert tokenizer.decode(tokenizer.encode_exactly("127")) == "127"


def test_gpt1s_byte_pairs(tmp_path):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?"
    vocab = ["<unk>", *letters, *(f"{c}</w>" for c in letters), "th", "the</w>", "su", "sum</w>", "ing</w>"]
    (tmp_path / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(vocab)}))
    merges = ["t h", "th e</w>", "s u", "su m</w>"]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    tokenizer = build(str(tmp_path), nothing)

    def names(text):
        return [vocab[i] for i in tokenizer.encode(text)]

    assert names("The sum,") == ["the</w>", "sum</w>", ",</w>"]
    assert names("thesum 12☃ ☃") == ["th", "e", "sum</w>", "1", "2", "<unk>", "<unk>"]
    assert tokenizer.decode(tokenizer.encode("The SUM of 12")) == "the sum of 12"
    # Without special tokens of its own, one id behind the vocabulary is all three.
    assert tokenizer.bos_id == tokenizer.eos_id == tokenizer.pad_id == len(vocab)
    assert "".join(tokenizer.token_texts()[i] for i in tokenizer.encode("the")) == "the"


def test_robertas_byte_pairs_have_a_mask(tmp_path, built):
    own = built("bpe:300")
    names = {"<s>": own.vocab_size, "<pad>": own.vocab_size + 1, "</s>": own.vocab_size + 2}
    vocab = own.vocab | names | {"<mask>": own.vocab_size + 3, "<a>": 0, "<b>": 1, "<c>": 2}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("\n".join(" ".join(pair) for pair in own.merges))
    tokenizer = build(str(tmp_path), nothing)
    assert (tokenizer.bos_id, tokenizer.eos_id) == (names["<s>"], names["</s>"])
    assert tokenizer.mask_id == vocab["<mask>"] and not tokenizer.lossy
    assert tokenizer.encode("the <mask>") == own.encode("the <mask>")
    assert tokenizers.from_json(tokenizers.to_json(tokenizer)).mask_id == tokenizer.mask_id


def test_alberts_pieces_have_named_special_tokens(tmp_path):
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(["the sum of 12 and 34 is 46"] * 3),
        model_writer=model,
        vocab_size=35,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        minloglevel=2,
    )
    (tmp_path / "spiece.model").write_bytes(model.getvalue())
    tokenizer = build(str(tmp_path), nothing)
    special = (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.mask_id)
    assert special == (0, 2, 3, 4) and tokenizer.lossy
    assert tokenizer.decode(tokenizer.encode("the  sum ☃")) == "the sum "
    with pytest.raises(ValueError, match="would write 'the sum'"):
        tokenizer.encode_exactly("the  sum")
