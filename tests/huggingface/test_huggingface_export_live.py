"""Exported directories in the hands of transformers: AutoTokenizer, `generate` and pipelines."""

import json

import numpy as np
import pytest
from exported import ENCODER_DECODERS, TEXTS, TOKENIZERS, TRAINED_ON, built, model_for

from jaxgpt.generation import complete, encode_prompts, generate
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
small_models = pytest.importorskip("small_models")

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
PROMPTS = ["12+34=", "7=", "120 and 7"]


def theirs_says(path, prompts, count, encoder_decoder):
    """The new text of each prompt, alone, and the ids that `generate` gives for the first."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    kind = transformers.AutoModelForSeq2SeqLM if encoder_decoder else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(path).eval()
    found = []
    for prompt in prompts:
        given = tokenizer(prompt, return_tensors="pt")
        new = model.generate(**given, max_new_tokens=count, do_sample=False)[0]
        start = 1 if encoder_decoder else given["input_ids"].shape[1]
        found.append(tokenizer.decode(new[start:], skip_special_tokens=True))
    return found


@pytest.mark.parametrize("spec", TOKENIZERS)
def test_texts_are_read_and_written_as_by_us(spec, tmp_path):
    own = built(spec)
    save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", tokenizer=own)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "x")
    assert len(theirs) == own.vocab_size
    special = (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id)
    assert special == (own.bos_id, own.eos_id, own.pad_id)
    for text in TEXTS:
        try:
            ids = own.encode(text)
        except OutsideAlphabet:
            with pytest.raises(Exception, match=r"vocabulary|WordLevel"):
                theirs(text)
            continue
        assert theirs(text)["input_ids"] == [own.bos_id, *ids], text
        assert theirs.decode([own.bos_id, *ids, own.eos_id], skip_special_tokens=True) == own.decode(ids)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("spec", ["digits", "bytes", "digits:3:right:bpe:400"])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_pipeline_answers_as_we_do(family, spec, several, tmp_path):
    own = built(spec)
    model = model_for(own, family, seed=2)
    if several:  # ends that do come
        prompts, _ = encode_prompts(model, own, PROMPTS)
        own = own.used_with(
            end_ids=sorted({own.eos_id, *generate(model, prompts, max_new_tokens=4)[:, 3].tolist()})
        )
    expected = [texts[0] for texts in complete(model, own, PROMPTS, max_new_tokens=12)]
    save_hf(model, tmp_path / "x", family=family, tokenizer=own)
    pipeline = transformers.pipeline("text-generation", model=str(tmp_path / "x"))
    found = pipeline(PROMPTS, max_new_tokens=12, do_sample=False, return_full_text=False)
    assert [texts[0]["generated_text"] for texts in found] == expected
    assert theirs_says(tmp_path / "x", PROMPTS, 12, False) == expected
    found = pipeline(PROMPTS, max_new_tokens=12, do_sample=False, return_full_text=False, batch_size=3)
    assert [texts[0]["generated_text"] for texts in found] == expected
    again = load_hf(tmp_path / "x")
    assert [t[0] for t in complete(again.model, again.tokenizer, PROMPTS, max_new_tokens=12)] == expected


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_an_encoder_decoder_answers_as_we_do(family, tmp_path):
    own = built("digits")
    model = model_for(own, family, seed=2)
    expected = [texts[0] for texts in complete(model, own, PROMPTS, max_new_tokens=9)]
    save_hf(model, tmp_path / "x", family=family, tokenizer=own)
    assert theirs_says(tmp_path / "x", PROMPTS, 9, True) == expected


def test_an_encoder_reads_what_we_read(tmp_path):
    own = built("digits")
    model = model_for(own, "bert")
    save_hf(model, tmp_path / "x", family="bert", tokenizer=own)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "x")
    given = tokenizer(PROMPTS[0], return_tensors="pt")
    row = [own.bos_id, *own.encode(PROMPTS[0]), own.eos_id]
    assert given["input_ids"][0].tolist() == row
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "x").eval()
    with torch.no_grad():
        expected = theirs(**given).logits.numpy()
    np.testing.assert_allclose(model(np.asarray([row])).logits, expected, atol=1e-5)


@pytest.mark.parametrize("without", ["form", "tokenizer"])
def test_a_model_alone_has_no_tokenizer_there(without, tmp_path):
    own = built("fixed:9")
    given = {"tokenizer": own, "reader": "jaxgpt"} if without == "form" else {}
    save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", **given)
    with pytest.raises(Exception):  # noqa: B017 - which differs by version
        transformers.AutoTokenizer.from_pretrained(tmp_path / "x")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "x")
    assert model.generation_config.eos_token_id == (own.eos_id if without == "form" else None)


WRITING = [
    name
    for name in ("gpt2", "llama", "qwen3", "gemma", "gemma3_text", "gptj", "t5", "bart", "marian")
    if name in small_models.AVAILABLE
]


@pytest.mark.parametrize("name", WRITING)
def test_ids_survive_reading_and_writing(name, tmp_path):
    """transformers ends where it did before, with several ends, and so do we."""
    model = small_models.build(name, seed=1)
    given = small_models.inputs(model, seed=1)
    both = "source" in given
    ids = torch.tensor(given["source"] if both else given["tokens"])[:1]
    mask = torch.ones_like(ids)
    start = {"decoder_start_token_id": getattr(model.config, "decoder_start_token_id", 0)} if both else {}
    plain = transformers.GenerationConfig(max_new_tokens=9, do_sample=False, pad_token_id=0, **start)
    model.generation_config = plain
    free = model.generate(ids, attention_mask=mask)[0, -9:].tolist()
    ends = [free[5], free[3]]
    model.generation_config = transformers.GenerationConfig(eos_token_id=ends, pad_token_id=0, **start)
    model.save_pretrained(tmp_path / "theirs")
    loaded = load_hf(tmp_path / "theirs")
    save_hf(loaded, tmp_path / "ours")
    found = []
    for folder in ("theirs", "ours"):
        again = type(model).from_pretrained(tmp_path / folder).eval()
        settings = {"max_new_tokens": 9, "do_sample": False, "attention_mask": mask}
        found.append(again.generate(ids, **settings)[0].tolist())
    assert found[0] == found[1]
    new = found[0][1:] if both else found[0][ids.shape[1] :]
    assert len(new) < 9 and new[-1] in ends
    prompts = [[loaded.ids["decoder_start_token_id"]]] if both else ids.tolist()
    source = {"source": ids.tolist()} if both else {}
    rows = generate(loaded.model, prompts, max_new_tokens=9, eos_id=loaded.ids["eos_token_id"], **source)
    assert rows[0][: len(new)].tolist() == new


@pytest.mark.parametrize("begin", [True, False])
def test_a_directory_with_its_tokenizer_is_answered_as_there(begin, tmp_path):
    """Prompts begin as the directory's tokenizer has it, here and in an export of it."""
    path, own = tmp_path / "theirs", built("bpe:300")
    save_hf(model_for(own, "gpt2", seed=2), path, family="gpt2", tokenizer=own)
    (path / "jaxgpt_tokenizer.json").unlink()
    if not begin:
        definition = json.loads((path / "tokenizer.json").read_text())
        (path / "tokenizer.json").write_text(json.dumps(definition | {"post_processor": None}))
    expected = theirs_says(path, PROMPTS, 12, False)
    loaded = load_hf(path)
    assert loaded.tokenizer.begin_ids == ((own.bos_id,) if begin else ())
    found = complete(loaded.model, loaded.tokenizer, PROMPTS, max_new_tokens=12)
    assert [texts[0] for texts in found] == expected
    save_hf(loaded, tmp_path / "ours")
    assert theirs_says(tmp_path / "ours", PROMPTS, 12, False) == expected
    for text in TRAINED_ON:
        ids = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")(text)["input_ids"]
        assert ids == loaded.tokenizer.begun(loaded.tokenizer.encode(text)) or "<" in text
