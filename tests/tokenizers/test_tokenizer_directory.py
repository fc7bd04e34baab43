"""Tokenizers that lie in files, those of other libraries among them."""

import io
import json

import pytest

import jaxgpt.tokenizers as tokenizers
from jaxgpt.tokenizers import build

TEXTS = ["the sum of 12 and 34 is 46, and the other thing\n"] * 3


def nothing():
    raise AssertionError("a trained tokenizer reads no training text")


@pytest.fixture
def hugging_face(tmp_path):
    """Writes a byte-level `tokenizer.json` with the given special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    def write(*special):
        library = Tokenizer(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=300, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
        )
        library.train_from_iterator(TEXTS, trainer)
        if "<s>" in special:
            template = [("<s>", library.token_to_id("<s>"))]
            library.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=template)
        library.enable_truncation(4)
        library.save(str(tmp_path / "tokenizer.json"))
        return library

    return write


def test_a_run_directory(tmp_path):
    tokenizer = build("digits:2:left:bytes", nothing)
    tokenizers.save(tokenizer, tmp_path / "tokenizer.json")
    assert build(str(tmp_path), nothing).fingerprint == tokenizer.fingerprint
    assert build(str(tmp_path / "tokenizer.json"), nothing).fingerprint == tokenizer.fingerprint


def test_a_short_name_comes_before_a_directory(tmp_path, monkeypatch):
    tokenizers.save(build("bytes", nothing), tmp_path / "tokenizer.json")
    (tmp_path / "digits").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "tokenizer.json").rename(tmp_path / "mine" / "tokenizer.json")
    monkeypatch.chdir(tmp_path)
    assert type(build("digits", lambda: ["a"])).kind() == "digits"
    assert type(build("mine", nothing)).kind() == "bytes"
    with pytest.raises(ValueError, match="digits holds no tokenizer"):
        build("./digits", nothing)


def test_no_name_is_not_the_working_directory(tmp_path, monkeypatch):
    tokenizers.save(build("bytes", nothing), tmp_path / "tokenizer.json")
    monkeypatch.chdir(tmp_path)
    assert type(build(".", nothing)).kind() == "bytes"
    with pytest.raises(ValueError, match="no tokenizer is called ''; known: "):
        build("", nothing)


def test_hugging_face_is_told_apart_by_its_contents(tmp_path, hugging_face):
    library = hugging_face("<s>", "</s>", "<pad>")
    tokenizer = build(str(tmp_path), nothing)
    library.no_truncation()
    text = "the other <s> thing</s> 1234 naïve ☃<pad>"
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert {0, 1, 2}.isdisjoint(ids)
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (0, 1, 2)
    plain = "the sum of 12 and the other things, naïve"
    assert tokenizer.encode(plain) == library.encode(plain, add_special_tokens=False).ids
    assert tokenizer.decode([0, *tokenizer.encode(plain), 1, 2]) == plain
    assert "".join(tokenizer.token_texts()[i] for i in tokenizer.encode("the thing")) == "the thing"
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    assert again.encode(text) == ids
    assert again.fingerprint == tokenizer.fingerprint
    assert build(f"huggingface:{tmp_path}", nothing).fingerprint == tokenizer.fingerprint


@pytest.mark.thorough
def test_gpt2_as_one_file_has_the_ids_of_gpt2_as_two(tmp_path, gpt2):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    library = Tokenizer(models.BPE(gpt2.vocab, gpt2.merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    library.add_special_tokens(["<|endoftext|>"])
    library.save(str(tmp_path / "tokenizer.json"))
    tokenizer = build(str(tmp_path), nothing)
    text = "Hello world, 12345 naïve <|endoftext|>\n\n"
    assert tokenizer.encode(text) == gpt2.encode(text)
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.vocab_size) == (50256,) * 3 + (
        50257,
    )
    assert build(f"digits:1:right:{tmp_path}", nothing).vocab_size == 50257


def test_digits_over_hugging_face(tmp_path, hugging_face):
    hugging_face("<s>", "</s>", "<pad>")
    tokenizer = build(f"digits:3:right:{tmp_path}", nothing)
    texts = tokenizer.token_texts()
    assert [texts[i] for i in tokenizer.encode("12345 x")][:2] == ["12", "345"]
    assert tokenizer.decode(tokenizer.encode("é12345 x☃")) == "é12345 x☃"


@pytest.mark.parametrize(
    ("special", "bos", "eos", "pad"),
    [
        (["<|endoftext|>"], 0, 0, 0),
        (["<pad>", "</s>"], 1, 1, 0),
        (["[CLS]", "[SEP]", "[PAD]"], 0, 1, 2),
        (["<bos>", "<pad>"], 0, 0, 1),
    ],
)
def test_special_ids_by_their_usual_names(tmp_path, hugging_face, special, bos, eos, pad):
    library = hugging_face(*special)
    tokenizer = build(str(tmp_path), nothing)
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (bos, eos, pad)
    assert tokenizer.vocab_size == library.get_vocab_size()


def test_without_special_tokens_one_id_is_added(tmp_path, hugging_face):
    library = hugging_face()
    tokenizer = build(str(tmp_path), nothing)
    assert tokenizer.eos_id == tokenizer.pad_id == library.get_vocab_size()
    assert tokenizer.vocab_size == library.get_vocab_size() + 1
    assert tokenizer.decode([*tokenizer.encode("ab"), tokenizer.eos_id]) == "ab"


def test_a_lossy_hugging_face_tokenizer_says_what_it_loses(tmp_path):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    library = Tokenizer(models.WordPiece({"[UNK]": 0, "the": 1, "sum": 2}, unk_token="[UNK]"))
    library.normalizer = normalizers.Lowercase()
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.decoder = decoders.WordPiece()
    library.save(str(tmp_path / "tokenizer.json"))
    tokenizer = build(str(tmp_path), nothing)
    assert tokenizer.decode(tokenizer.encode("the sum")) == "the sum"
    assert tokenizer.lossy and tokenizer.encode("the Sum") == tokenizer.encode("the sum")
    with pytest.raises(ValueError, match=r"'S' \(U\+0053\) at index 4 is outside"):
        tokenizer.encode_exactly("the Sum")


@pytest.fixture
def single_bytes(tmp_path):
    """A directory whose `tokenizer.json` has `a`, `b` and every byte, as Llama 2's reads rare characters."""
    from tokenizers import Tokenizer, decoders, models

    names = ["<unk>", "a", "b", *(f"<0x{value:02X}>" for value in range(256))]
    vocab = {name: i for i, name in enumerate(names)}
    library = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", byte_fallback=True))
    library.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    library.add_special_tokens(["<unk>", "<s>", "</s>"])
    library.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.mark.parametrize("over", ["", "digits:1:right:", "fone:12:0:", "spaced:", "subset:"])
def test_a_character_streams_out_when_all_of_its_bytes_are_there(single_bytes, over):
    tokenizer = build(f"{over}{single_bytes}", lambda: ["a😀bab 12☃"])
    ids = tokenizer.encode("a😀bab")
    assert len(ids) == 8 and tokenizer.decode(ids[:3]) == "a\ufffd\ufffd"
    # The bytes of the last whole character wait for the next token: they are none if it is a broken one.
    assert [tokenizer.settled(ids[:count]) for count in range(9)] == [
        *["", "a", "a", "a", "a", "a"],
        *["a😀b", "a😀ba", "a😀bab"],
    ]
    # Special tokens have no text and part no bytes.
    assert tokenizer.settled([*ids[:5], tokenizer.eos_id]) == "a"


@pytest.mark.parametrize("text", ["a😀☃b", "☃☃", "a12☃b34😀", "\ufffda\ufffd"])
def test_what_is_settled_stays_whatever_bytes_follow(single_bytes, text):
    for over in ("", "digits:1:right:", "fone:12:0:"):
        tokenizer = build(f"{over}{single_bytes}", nothing)
        ids = tokenizer.encode(text)
        broken = [*ids, *tokenizer.encode("😀")[:2], *tokenizer.encode("b")]
        for whole in (ids, broken):
            settled = [tokenizer.settled(whole[:count]) for count in range(len(whole) + 1)]
            assert all(tokenizer.decode(whole).startswith(part) for part in settled)
        assert settled[-1] == tokenizer.decode(broken)


def test_names_of_bytes_that_decode_as_they_are_written_stand_for_themselves(tmp_path):
    from tokenizers import Tokenizer, decoders, models

    library = Tokenizer(models.BPE(vocab={"a": 0, "<0x41>": 1}, merges=[]))
    library.decoder = decoders.Fuse()
    library.save(str(tmp_path / "tokenizer.json"))
    assert build(str(tmp_path), nothing).settled([0, 1]) == "a<0x41>"


def train_sentencepiece(path, **settings):
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, minloglevel=2, hard_vocab_limit=False, **settings
    )
    path.write_bytes(model.getvalue())


def test_a_sentencepiece_model_of_another_trainer(tmp_path):
    train_sentencepiece(tmp_path / "my.model", vocab_size=40)
    tokenizer = build(str(tmp_path), nothing)
    assert tokenizer.decode(tokenizer.encode("the sum of 12")) == "the sum of 12"
    for text, character, index in [
        ("the  sum", "' '", 4),
        ("sum☃", "'☃'", 3),
        ("ﬁ", "'ﬁ'", 0),
        ("the ", "' '", 3),
    ]:
        with pytest.raises(ValueError, match=rf"{character} \(.*at index {index} is outside"):
            tokenizer.encode_exactly(text)
        assert tokenizer.encode(text) != []
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (1, 2, 2)


def test_a_sentencepiece_model_that_puts_a_space_first(tmp_path):
    train_sentencepiece(
        tmp_path / "my.model",
        vocab_size=320,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        bos_id=-1,
        eos_id=-1,
    )
    tokenizer = build(str(tmp_path / "my.model"), nothing)
    for text in ("the sum", " the  sum ", "☃", "12 34", ""):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.eos_id == tokenizer.vocab_size - 1
    over = build(f"digits:2:left:{tmp_path}", nothing)
    assert over.decode(over.encode(" a 123 b4")) == " a 123 b4"


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, "looked for tokenizer.json, vocab.json with merges.txt, vocab.txt and \\*.model"),
        ({"vocab.json": "{}"}, "looked for tokenizer.json"),
        ({"tokenizer.json": "{"}, "tokenizer.json is not JSON"),
        ({"tokenizer.json": "[]"}, "does not hold a JSON object"),
        ({"tokenizer.json": "{}"}, "neither jaxgpt's tokenizer .* nor Hugging Face's"),
        ({"tokenizer.json": '{"model": {"type": "BPE"}}'}, "tokenizer.json: the tokenizers library"),
        ({"tokenizer.json": "\ud800"}, "cannot be read"),
        ({"vocab.json": "{}", "merges.txt": ""}, "lacks the byte"),
        ({"vocab.json": '{"a": {}}', "merges.txt": "a b c"}, "a whole number of its own"),
        ({"a.model": "x", "b.model": "x"}, "a.model, b.model; name one of them"),
        ({"vocab.txt": "a\nb"}, "vocab.txt: it has no line \\[UNK\\]"),
        ({"vocab.txt": "[UNK]", "tokenizer_config.json": "{"}, "tokenizer_config.json is not JSON"),
        ({"vocab.txt": "\ud800"}, "cannot be read"),
        ({"a.model": "x"}, "a.model: not a SentencePiece model"),
        ({"a.model": ""}, "a.model: not a SentencePiece model"),
    ],
)
def test_what_is_wrong_with_a_directory(tmp_path, files, line):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", errors="surrogatepass"))
    with pytest.raises(ValueError, match=line) as caught:
        build(str(tmp_path), nothing)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"neither a \.json nor a SentencePiece \.model"):
        build(str(tmp_path / "notes.txt"), nothing)


def test_json_nested_without_end_is_one_line(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("[" * 100_000)
    for read in (tokenizers.load, lambda path: build(str(path), list)):
        with pytest.raises(ValueError, match=r"tokenizer\.json is not .*JSON"):
            read(path)


MERGES = "#version: 0.2\nh e\nl l\nhe ll\nhell o\nĠ hello\n"


def test_byte_pairs_of_two_files_with_line_ends_of_windows(tmp_path):
    from tokenizers.pre_tokenizers import ByteLevel

    texts = [*ByteLevel.alphabet(), "he", "ll", "hell", "hello", "Ġhello"]
    vocabulary = {text: i for i, text in enumerate(texts)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes(MERGES.replace("\n", "\r\n").encode())
    assert build(str(tmp_path), nothing).encode("hello hello") == [vocabulary["hello"], vocabulary["Ġhello"]]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"add_prefix_space": True}))
    with pytest.raises(ValueError, match=r"tokenizer_config\.json: add_prefix_space puts a space before"):
        build(str(tmp_path), nothing)
