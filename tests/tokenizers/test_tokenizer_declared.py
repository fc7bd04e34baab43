"""Tokens that other files than the vocabulary declare: their ids, and which begin and end texts."""

import json

import pytest
from declared_directories import CASES, END, QWEN, TEXT, added, expected, write

import jaxgpt.tokenizers as tokenizers
from jaxgpt.huggingface import tokenizer_files
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.declared import ENDS, STARTS
from jaxgpt.tokenizers.directory import declared


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_added_tokens_keep_their_ids_and_the_files_say_which_end(case, tmp_path):
    tokens, files, special, ends, ordinary = case
    plain = write(tmp_path / "plain", [], {})
    library = write(tmp_path / "own", tokens, files)
    tokenizer = build(str(tmp_path / "own"), list)
    assert tokenizer.encode(TEXT) == expected(plain, ordinary)
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == special
    assert tokenizer.end_ids == ends
    most = max(*ordinary.values(), *special, library.get_vocab_size() - 1)
    assert tokenizer.vocab_size == most + 1
    assert tokenizer.decode([*special, *tokenizer.encode(TEXT), *special]) == TEXT
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    assert (again.encode(TEXT), again.end_ids) == (tokenizer.encode(TEXT), ends)
    assert (again.bos_id, again.eos_id, again.pad_id) == special
    over = build(f"digits:1:right:{tmp_path / 'own'}", list)
    assert over.end_ids == ends and over.decode(over.encode(TEXT)) == TEXT


def test_special_tokens_in_a_text_are_text(tmp_path):
    write(tmp_path, QWEN, {"tokenizer_config": {"eos_token": "<|im_end|>"}})
    tokenizer = build(str(tmp_path), list)
    text = "<|im_end|> and <think> <|endoftext|>"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert {276, 277, 278}.isdisjoint(tokenizer.encode(text)) and 279 in tokenizer.encode(text)


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (
            {"tokenizer_config": {"added_tokens_decoder": {"290": added("<a>", False)}}},
            "'<a>' as id 290",
        ),
        ({"added_tokens": {"<a>": 290}}, "adds '<a>' as id 290, which gets id 281"),
        ({"tokenizer_config": {"added_tokens_decoder": {"x": added("<a>", False)}}}, "is no added token"),
        ({"tokenizer_config": {"added_tokens_decoder": {"281": "<a>"}}}, "is no added token"),
        ({"tokenizer_config": {"added_tokens_decoder": [1]}}, "is no added token"),
        ({"tokenizer_config": {"eos_token": 3}}, "eos_token='3' is no token"),
        ({"tokenizer_config": {"additional_special_tokens": 3}}, "additional_special_tokens is no list"),
        (
            {"tokenizer_config": {"additional_special_tokens": [3]}},
            "tokens='3' is no token",
        ),
        ({"tokenizer_config": {"add_bos_token": 1}}, "add_bos_token is neither true nor false"),
        ({"config": {"eos_token_id": "3"}}, r"config\.json: eos_token_id='3' is neither an id nor a list"),
        ({"generation_config": {"eos_token_id": [True]}}, r"generation_config\.json: eos_token_id="),
        ({"special_tokens_map": {"pad_token": ["x" * 500]}}, "is no token"),
    ],
)
def test_what_is_wrong_with_the_files_is_one_line(files, line, tmp_path):
    write(tmp_path, QWEN, files)
    with pytest.raises(ValueError, match=line) as caught:
        build(str(tmp_path), list)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 + len(str(tmp_path))


def test_added_tokens_beside_byte_pairs_and_pieces(tmp_path, built):
    own = built("bpe:300")
    first = own.vocab_size
    special = {name: i for i, name in enumerate(["<s>", "</s>", "<pad>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(own.vocab | special))
    (tmp_path / "merges.txt").write_text("\n".join(" ".join(pair) for pair in own.merges))
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>", "add_bos_token": true}')
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<|im_end|>": first}))
    tokenizer = build(str(tmp_path), list)
    assert (tokenizer.eos_id, tokenizer.vocab_size) == (first, first + 1)
    assert tokenizer.encode("the <|im_end|>") == own.encode("the <|im_end|>")
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<|im_end|>": first, "<think>": first + 1}))
    tokenizer = build(str(tmp_path), list)
    assert tokenizer.encode("a<think>the") == [*own.encode("a"), first + 1, *own.encode("the")]
    assert tokenizer.eos_id == first and not tokenizer.lossy

    pieces = built("sentencepiece:330")
    path = tmp_path / "pieces"
    path.mkdir()
    (path / "tokenizer.model").write_bytes(pieces.model)
    (path / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [pieces.eos_id, pieces.vocab_size]})
    )
    (path / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}')
    (path / "added_tokens.json").write_text(json.dumps({"<|im_end|>": pieces.vocab_size}))
    tokenizer = build(str(path), list)
    assert tokenizer.eos_id == pieces.vocab_size == tokenizer.vocab_size - 1
    assert tokenizer.end_ids == (pieces.vocab_size, pieces.eos_id)
    assert tokenizer.encode("the sum") == pieces.encode("the sum")
    assert tokenizers.from_json(tokenizers.to_json(tokenizer)).eos_id == tokenizer.eos_id
    (path / "added_tokens.json").write_text(json.dumps({"<think>": pieces.vocab_size}))
    with pytest.raises(ValueError, match=r"token '<think>' is not read beside a SentencePiece"):
        build(str(path), list)


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("plain", ()),
        ("template", (277,)),
        ("byte pairs", ()),
        ("byte pairs with bos", (1,)),
        ("pieces", (1,)),
    ],
)
def test_prompts_begin_as_the_directory_says(name, begin, tmp_path, built):
    if name in ("plain", "template"):
        write(tmp_path, QWEN, {}, "<|im_start|>" if name == "template" else None)
    elif name == "pieces":
        (tmp_path / "tokenizer.model").write_bytes(built("sentencepiece:330").model)
    else:
        own = built("bpe:300")
        (tmp_path / "vocab.json").write_text(json.dumps(own.vocab | {"<|endoftext|>": 1, "<a>": 0, "<b>": 2}))
        (tmp_path / "merges.txt").write_text("\n".join(" ".join(pair) for pair in own.merges))
        if name.endswith("bos"):
            (tmp_path / "tokenizer_config.json").write_text('{"add_bos_token": true}')
    tokenizer = build(str(tmp_path), list)
    assert tokenizer.begin_ids == (tokenizer.bos_id,)  # of a run that is trained
    found = tokenizer_files.begun_as(tmp_path, tokenizer, "decoder")
    assert found.begin_ids == begin
    assert (found.begun([7]) == [*begin, 7] and found.begun([]) == [*begin]) or [found.bos_id]
    assert tokenizer_files.begun_as(tmp_path, tokenizer, "encoder").begin_ids == (tokenizer.bos_id,)
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(found))))
    assert again.begin_ids == begin and again.fingerprint == tokenizer.fingerprint
    over = build(f"digits:1:right:{tmp_path}", list)
    assert tokenizer_files.begun_as(tmp_path, over, "decoder").begin_ids == begin


def test_ids_that_are_none_are_refused():
    tokenizer = build("bytes", list)
    for ids in ([300], [-1], ["2"]):
        with pytest.raises(ValueError, match="are not ids below 259"):
            tokenizer.used_with(end_ids=ids)
    data = tokenizers.to_json(tokenizer) | {"end_ids": 2}
    with pytest.raises(ValueError, match="'end_ids' that is no list"):
        tokenizers.from_json(data)


@pytest.mark.parametrize("kind", sorted(ENDS))
def test_an_end_that_no_file_says_is_the_default_of_the_type(kind, tmp_path):
    def ids(config, **more):
        for name in ("config", "generation_config"):
            (tmp_path / f"{name}.json").unlink(missing_ok=True)
        write(tmp_path, QWEN, {"config": config} | more)
        return dict(declared(tmp_path).ids)

    start = {"decoder_start_token_id": [STARTS[kind]]} if kind in STARTS else {}
    assert ids({"model_type": kind}) == {"eos_token_id": [ENDS[kind]], **start}
    told = ids({"model_type": kind, "eos_token_id": 7, "decoder_start_token_id": 8})
    assert told == {"eos_token_id": [7], "decoder_start_token_id": [8]}
    # null says that there is none, and so does a generation_config.json, which alone counts there.
    assert ids({"model_type": kind, "eos_token_id": None, "decoder_start_token_id": None}) == {}
    assert ids({"model_type": kind}, generation_config={"bos_token_id": 3}) == {"bos_token_id": [3]}


def test_an_end_by_default_ends_a_text_where_the_vocabulary_has_it(tmp_path):
    write(tmp_path, QWEN, {"config": {"model_type": "gpt_neox"}})
    assert build(str(tmp_path), list).end_ids == (END, 2)
    write(tmp_path, QWEN, {"config": {"model_type": "gpt2"}})
    assert build(str(tmp_path), list).end_ids == (END,)
