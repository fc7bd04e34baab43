"""What is measured of models that write text."""

import dataclasses

import pytest

from jaxgpt.evaluation import text_measures as text
from jaxgpt.evaluation.likelihood import text_likelihood
from jaxgpt.evaluation.ngram import bits_per_byte
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.evaluation.scoring_options import Kept
from jaxgpt.task import Example, Task

TRAINING = ["abc def gh abc\nabc", "fed cba 0123 hg", "abba dada 77 88 99", "bad cafe deaf head"]
HELD_OUT = ["abc cab def 00", "feed 123 a head", "a zebra"]  # the z is in nobody's alphabet


@dataclasses.dataclass(frozen=True)
class Lines(Task):
    """A handful of documents, asked for nothing but their last character."""

    layout = "stream"
    sample_prompts = ("ab", "h")

    def examples(self, split, seed=0):
        return (Example("", document) for document in (TRAINING if split == "train" else HELD_OUT))

    def questions(self, split, seed=0):
        return (Example(d[:-1], d[-1], "last") for d in HELD_OUT)

    def summary(self, samples, training):
        characters = sum(len(completion) for _, completion in samples)
        return {"samples": float(len(samples)), "characters": float(characters), "known": len(training)}


@pytest.fixture(scope="module")
def found(build, tokenizer):
    return evaluate(
        [build(0), build(1)], tokenizer, Lines(), kept=Kept(samples=5, sample_tokens=12), batch_size=8
    )


@pytest.mark.thorough
def test_held_out_loss_stands_beside_training_loss_and_the_baseline(found, build, tokenizer):
    held_out, train = found.likelihood["held_out"], found.likelihood["train"]
    assert held_out == text_likelihood([build(0), build(1)], tokenizer, HELD_OUT[:2])
    assert held_out.bytes == train.bytes == sum(map(len, HELD_OUT[:2]))
    assert found.baseline_bits_per_byte == bits_per_byte(TRAINING, HELD_OUT[:2], order=5)
    assert "5-gram" in found.table() and "training text" in found.table()


@pytest.mark.thorough
def test_samples_and_the_measures_of_them(found):
    assert len(found.samples) == 6  # 5 are asked for and there are two prompts
    assert [sample[:1] for sample in found.samples] == ["a"] * 3 + ["h"] * 3
    assert len(set(found.samples)) > 1
    assert found.summary["samples"].per_seed == (6.0, 6.0) and found.summary["known"].mean == 4
    written = sum(map(len, found.samples)) - 3 * len("ab") - 3 * len("h")
    assert found.summary["characters"].per_seed[0] == written
    assert found.summary["characters"].interval is not None


@pytest.mark.thorough
def test_what_the_alphabet_lacks_is_counted(found):
    groups = {entry.group: entry for entry in found.not_asked}
    assert groups["held-out text"].n == 1 and "'z'" in groups["held-out text"].reason
    assert groups["last"].n == 1 and found.n == 2


@pytest.mark.thorough
def test_samples_are_the_same_again(found, build, tokenizer):
    again = text.samples(build(0), tokenizer, ["ab", "h"], samples_a_prompt=3, tokens=12, batch_size=8)
    assert tuple(prompt + continuation for prompt, continuation in again) == found.samples


def test_cut_takes_so_many_characters():
    assert text.cut(["abc", "de", "fgh"], 6) == ["abc", "de", "f"]
    assert text.cut(["abc", "de"], 5) == ["abc", "de"]
    assert text.cut(["abc"], 99) == ["abc"] and text.cut(["abc"], 0) == []


def test_pieces_are_spread_over_the_texts():
    assert text.pieces(["abcdefg", "hijk"], 2, 9) == ["ab", "cd", "ef", "hi", "jk"]
    assert text.pieces(["abcdefg", "hijk"], 2, 2) == ["ab", "ef"]
    assert text.pieces(["abc"], 0, 2) == []
