"""SentencePiece models alone in a directory against transformers itself, where it is installed."""

import pytest
from sentencepiece_directories import CASES, TEXTS, write

from jaxgpt.tokenizers import build

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.transformers


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_texts_are_read_as_there(name, tmp_path):
    write(tmp_path, name)
    ours = build(str(tmp_path), list)
    known = [transformers.AutoTokenizer.from_pretrained(tmp_path)]
    if transformers.__version__.startswith("4."):  # the code of the papers, in Python
        known.append(
            getattr(transformers, type(known[0]).__name__.removesuffix("Fast")).from_pretrained(tmp_path)
        )
    for theirs in known:
        assert ours.vocab_size == len(theirs)
        for key in ("bos", "eos", "pad", "mask"):
            if (told := getattr(theirs, f"{key}_token_id")) is not None:
                assert getattr(ours, f"{key}_id") == told
        for text in TEXTS:
            ids = theirs.encode(text, add_special_tokens=False)
            assert ours.encode(text) == ids, text
            if theirs is known[0]:
                kept = theirs.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
                assert ours.decode(ids) == kept
        around = theirs.encode("a")
        at = around.index(ours.encode("a")[0])
        assert ours.template == tuple(around[:at])
