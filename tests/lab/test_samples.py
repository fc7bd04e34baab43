"""Texts over training and their measures, against decoding by hand and counts of strings."""

import csv
import re

import jax
import numpy as np
import pytest
from lab_models import TOKENIZER, linear

from jaxgpt.evaluation import plots
from jaxgpt.lab import Subject, samples
from jaxgpt.lab.whole_words import mean_length, share_known, share_repeated, vocabulary, whole_words
from jaxgpt.pages.blocks import Chooser, Passage, Picture

MODELS = (linear(0).model, linear(1).model)
SUBJECT = Subject(MODELS, TOKENIZER, "both")


def test_words_are_runs_of_letters_that_the_ends_have_not_cut():
    assert whole_words("ear Sir, it's 2x \u00c9t\u00e9_old en") == ["sir", "it", "s", "x", "été", "old"]
    assert whole_words(" a") == [] and whole_words(" a.") == ["a"]
    known = vocabulary("Sir it Old")
    assert known == {"sir", "it", "old"}
    assert share_known("x Sir, IT no. x", known) == pytest.approx(2 / 3)
    assert mean_length("-one, seven-") == 4
    for empty in ("", "12 34", "uncut"):
        assert share_known(empty, known) == share_repeated(empty) == mean_length(empty) == 0


def test_a_run_of_words_is_repeated_if_it_came_before():
    # Of abcd bcda cdab dabc abcd bcda the last two came before.
    assert share_repeated("|" + " ".join("abcdabcda") + "|") == pytest.approx(2 / 6)
    assert share_repeated("|A. b, c d|") == 0
    assert share_repeated("|" + "so " * 10 + "|", n=2) == pytest.approx(8 / 9)


def greedy(model, prompt, count):
    """The likeliest token each time; where the model's 12 are full, from the last 6 on."""
    read = jax.jit(lambda ids: model(ids).logits)
    ids = TOKENIZER.begun(TOKENIZER.encode(prompt))
    written = []
    for _ in range(count):
        row = np.asarray([ids + [0] * (12 - len(ids))])  # nothing looks at what comes later
        token = int(np.asarray(read(row))[0, len(ids) - 1, : TOKENIZER.vocab_size].argmax())
        written.append(token)
        if token == TOKENIZER.eos_id:
            break
        ids = [*(ids[-5:] if len(ids) == 12 else ids), token]
    return TOKENIZER.decode(written)


def test_a_text_goes_on_where_the_window_of_the_model_is_full():
    prompts = ("bad ", "a", "hedge fab")
    found = samples(SUBJECT, prompts, seeds=(7,), tokens=30, temperature=0)
    assert found.steps == (0,) and found.prompts == prompts
    for model, texts in zip(MODELS, found.texts[0], strict=True):
        assert [text for (text,) in texts] == [greedy(model, prompt, 30) for prompt in prompts]
    assert max(map(len, found.last)) == 30


def test_a_text_depends_on_its_own_seed_and_prompt_alone():
    many = samples(SUBJECT, ["bad ", "face "], seeds=(3, 0, 8), tokens=12)
    assert len(set(many.last)) == 12
    one = samples((MODELS[1], TOKENIZER), ["bad "], seeds=(8,), tokens=12)
    assert one.texts == ((((many.texts[0][1][0][2],),),),)
    assert one.last == [many.texts[0][1][0][2]]


def test_measures_are_means_over_the_texts_of_each_model():
    corpus = "Bad cab; a face."
    found = samples(SUBJECT, ["bad ", "face "], seeds=(0, 1, 2), tokens=40, corpus=corpus)
    known = {"bad", "cab", "a", "face"}

    def share(text):
        words = re.findall(r"(?<=[^a-z])[a-z]+(?=[^a-z])", text)
        return sum(word in known for word in words) / max(len(words), 1)

    for r in range(2):
        texts = [text for prompt in found.texts[0][r] for text in prompt]
        assert found.measures["words found"][0].per_seed[r] == pytest.approx(np.mean([*map(share, texts)]))
        assert found.measures["characters"][0].per_seed[r] == np.mean([*map(len, texts)])
    note, *passages, table = found.blocks()
    assert "those of the first one" in note.text
    assert [type(block) for block in passages] == [Passage] * 6
    assert passages[4].text == "face " + found.texts[0][0][1][1] and passages[4].name == "'face ', seed 1"
    assert table.header == ("step", "words found", "repeated 4-grams", "letters a word", "characters")
    assert "words found" not in samples(SUBJECT, ["a"], seeds=(0,), tokens=2).scores
    assert "Means over 12 texts of step 0: words found" in found.summary()


def test_a_run_writes_at_every_step_that_was_kept(finished_run, tmp_path):
    found = samples(finished_run, ["1+1=", "2+"], seeds=(0, 1), tokens=6)
    assert found.steps == (15, 20)
    assert all(values.shape == (2, 1, 2, 2) for values in found.scores.values())
    found.to_csv(tmp_path / "samples.csv")
    with open(tmp_path / "samples.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 2
    last = rows[-1]
    assert (last["step"], last["model"], last["prompt"], last["seed"]) == ("20", "0", "2+", "1")
    assert last["text"] == found.texts[1][0][1][1] and float(last["characters"]) == len(last["text"])
    chooser, picture, table = found.blocks()
    assert isinstance(chooser, Chooser) and isinstance(picture, Picture)
    assert chooser.axes == {"step": ["15", "20"]} and len(chooser.frames[0]) == 4
    assert [row[0].text for row in table.rows] == ["15", "20"]
    plots.save(found.plot(), tmp_path / "samples.svg")


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ([], {}, r"prompts=\(\): give at least one"),
        (["a"], {"seeds": ()}, r"seeds=\(\): give at least one"),
        (["a"], {"seeds": (1, 1)}, r"seeds=\(1, 1\): give each once, and none below 0"),
        (["a"], {"seeds": (-1,)}, r"seeds=\(-1,\)"),
        (["a", "ax"], {}, "prompt 'ax': the character 'x'"),
        (["a"], {"temperature": -1}, "temperature=-1 must be at least 0"),
        (["a"], {"tokens": 0}, "max_new_tokens=0"),
    ],
)
def test_what_cannot_be_written_is_told(prompts, options, message):
    with pytest.raises(ValueError, match=message):
        samples(SUBJECT, prompts, **options)
