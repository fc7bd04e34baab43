"""Declared tokens against transformers itself, where it is installed."""

import pytest
from declared_directories import CASES, TEXT, write

from jaxgpt.huggingface.family import Family
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.declared import ENDS, STARTS

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.transformers


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_added_tokens_are_those_of_transformers(case, tmp_path):
    tokens, files, *_ = case
    write(tmp_path, tokens, files)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = build(str(tmp_path), list)
    assert ours.encode(TEXT) == theirs.encode(TEXT, add_special_tokens=False)
    assert ours.vocab_size == len(theirs)
    for name in ("bos", "pad"):
        if (told := getattr(theirs, f"{name}_token_id")) is not None:
            assert getattr(ours, f"{name}_id") == told
    if theirs.eos_token_id is not None and not {"config", "generation_config"} & files.keys():
        assert ours.eos_id == theirs.eos_token_id


@pytest.mark.filterwarnings("ignore")
def test_ends_and_starts_by_default_are_those_of_the_classes():
    for kind in Family.names():
        kind = {"openai_gpt": "openai-gpt", "transfo_xl": "transfo-xl", "xlm_roberta": "xlm-roberta"}.get(
            kind, kind
        )
        if kind not in transformers.CONFIG_MAPPING:
            continue  # in version 4 alone
        config = transformers.CONFIG_MAPPING[kind]()
        found = transformers.GenerationConfig.from_model_config(config)
        architecture = Family.named(kind).architecture
        if not architecture.endswith("ForMaskedLM"):
            assert found.eos_token_id == ENDS.get(kind), kind
        if kind != "t5":
            assert found.decoder_start_token_id == STARTS.get(kind), kind
