"""`jaxgpt score` beside lm-evaluation-harness, on the same directory and texts."""

import json

import numpy as np
import pytest
from zero_shot_models import model, tokenizer

from jaxgpt.evaluation.zero_shot import detokenizers
from jaxgpt.evaluation.zero_shot.items import Reading
from jaxgpt.evaluation.zero_shot.scoring_files import score_file
from jaxgpt.huggingface.save import save_hf

pytest.importorskip("lm_eval", reason="lm_eval is not installed: pip install lm_eval torch transformers")

pytestmark = [pytest.mark.transformers, pytest.mark.filterwarnings("ignore")]

TEXTS = [
    "the cat sat on the mat",
    "once there was a king who had a horse",
    "the dog saw the cat and the cat saw the dog " * 5 + "by the door",
]


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    """The exported model as the harness runs it; called with whether a text begins with bos."""
    from lm_eval.models.huggingface import HFLM

    folder = tmp_path_factory.mktemp("model") / "exported"
    save_hf(model(), folder, family="gpt2", tokenizer=tokenizer())
    settings = {"device": "cpu", "batch_size": 2, "dtype": "float32", "max_length": model().config.max_length}
    return lambda bos: HFLM(pretrained=str(folder), add_bos_token=bos, **settings)


def asked(*arguments):
    from lm_eval.api.instance import Instance

    return Instance(request_type="loglikelihood", doc={}, arguments=arguments, idx=0)


def scored(test, file, **reading):
    return score_file([model()], tokenizer(), test, str(file), Reading(**reading))


def test_last_words(harness, tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    pairs = [text.rsplit(" ", 1) for text in TEXTS]
    theirs = harness(True).loglikelihood([asked(context, f" {word}") for context, word in pairs])
    ours = scored("lambada", tmp_path / "a.txt")
    for (total, greedy), one in zip(theirs, ours.examples, strict=True):
        assert one["log_likelihood"][0] == pytest.approx(total, abs=1e-4) and one["right"] == [greedy]


def test_ten_words(harness, tmp_path):
    story = [f"the king saw {number} horses." for number in range(1, 21)]
    words = ["cat", "dog", "mat", "door", "king", "horse", "saddle", "day", "sea", "sun"]
    lines = [f"{number} {text}" for number, text in enumerate(story, 1)]
    lines.append(f"21 the XXXXX sat by the door.\tdog\t\t{'|'.join(words)}")
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    context = f"{' '.join(story)} the"
    theirs = harness(True).loglikelihood([asked(context, f" {word} sat by the door.") for word in words])
    found = scored("cbt", tmp_path / "a.txt")
    (one,) = found.examples
    assert len(theirs) == 10
    assert one["log_likelihoods"][0] == pytest.approx([total for total, _ in theirs], abs=1e-4)
    chosen = words[int(np.argmax([total for total, _ in theirs]))]
    assert found.measures[0].estimate.mean == (chosen == "dog")


def test_choices(harness, tmp_path):
    row = {"context": TEXTS[0], "choices": ["and slept", "horse", "by the red door"], "answer": 0}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    theirs = harness(True).loglikelihood([asked(row["context"], f" {text}") for text in row["choices"]])
    (one,) = scored("choices", tmp_path / "a.jsonl").examples
    assert one["log_likelihoods"][0] == pytest.approx([total for total, _ in theirs], abs=1e-4)


def test_a_long_text(harness, tmp_path):
    text = "\n".join(TEXTS * 3)
    (tmp_path / "a.txt").write_text(text)
    (total,) = harness(False).loglikelihood_rolling([asked(text)])
    measures = {one.key: one.estimate.mean for one in scored("perplexity", tmp_path / "a.txt").measures}
    size = len(text.encode())
    assert measures["bits_per_byte"] == pytest.approx(-total / size / np.log(2), rel=1e-5)
    assert measures["word_perplexity"] == pytest.approx(np.exp(-total / len(text.split())), rel=1e-4)


def test_the_detokenizer_of_wikitext():
    from lm_eval.tasks.wikitext.preprocess_wikitext import wikitext_detokenizer

    rng = np.random.default_rng(0)
    pieces = [
        "the",
        "N",
        "5",
        "@-@",
        "@,@",
        "@.@",
        ".",
        ",",
        ";",
        ":",
        "!",
        "?",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
    ]
    pieces += ['"', "'", "'s", "s", "=", "\n", "°", "boys"]
    ours = detokenizers.named("wikitext")
    for _ in range(500):
        text = " ".join(rng.choice(pieces, 30))
        assert ours(text) == wikitext_detokenizer({"page": text})
