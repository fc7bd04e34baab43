"""Chat templates beside transformers: what it finds in a directory, and in what we write of it."""

import pytest
from exported import built, model_for
from test_huggingface_chat import CASES, write

from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.transformers


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
@pytest.mark.filterwarnings("ignore")
def test_a_template_is_that_of_transformers(files, expected, tmp_path):
    own = built("bpe:300")
    save_hf(model_for(own, "gpt2"), tmp_path / "a", family="gpt2", tokenizer=own)
    write(tmp_path / "a", **files)
    save_hf(load_hf(tmp_path / "a"), tmp_path / "b")
    for name in "ab":
        assert transformers.AutoTokenizer.from_pretrained(tmp_path / name).chat_template == expected
