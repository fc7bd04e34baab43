"""Translation: splits by the words of a source, several right translations, scores by length, bad lines."""

import itertools
import json
import sys
from collections import Counter

import jax
import pytest
from flax import nnx

from jaxgpt.evaluation.translation_scores import bleu
from jaxgpt.models import Transformer, presets
from jaxgpt.runs import experiments
from jaxgpt.task import SPLITS
from jaxgpt.tokenizers.vocabulary import Vocabulary
from tasks.corpus.translations import Sentence, joined, read_translations, thirds, words
from tasks.translation import COMPARED, Translation

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SAID = {"one": ("un", "une"), "two": ("deux",), "three": ("trois",)}


def lines():
    """Sources of one to four words, each with two translations, one of them in capitals with another mark."""
    for count in (1, 2, 3, 4):
        for chosen in itertools.islice(itertools.permutations(NUMBERS, count), 60):
            source, target = " ".join(chosen), " ".join(word[::-1] for word in chosen)
            yield f"{source}.\t{target} .\tby nobody\n"
            yield f"{source}.\t{target} ?\tby nobody\n"
            yield f"{source.upper()}!\t{target} !\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "pairs.tsv").write_text("".join(lines()) + "\n")
    return str(tmp_path / "pairs.tsv")


def test_words_have_their_marks():
    assert words("वह घर में है।") == ["वह", "घर", "में", "है"] and words("I'm here_2.") == ["I", "m", "here_2"]
    assert words("cafe\u0301 au lait") == ["cafe\u0301", "au", "lait"]


def test_a_worked_example(tmp_path):
    text = "Go.\tVa\u202f!\tsomebody\nGo.\tMarche.\tsomebody\nGo.\tVa !\nHi.\tSalut.\n"
    (tmp_path / "pairs.tsv").write_text(text)
    task = Translation(path=str(tmp_path / "pairs.tsv"), held_out=0.0)
    assert [(e.prompt, e.target) for e in task.examples("train")] == [
        ("go.", "va !"),
        ("go.", "marche."),
        ("hi.", "salut."),
    ]
    example = next(e for e in task.questions("train") if e.prompt == "go.")
    assert task.references(example) == ("va !", "marche.")
    right = {"va !": 1, "marche.": 1, " Va  !": 1, "salut.": 0, "va": 0, "": 0}
    assert {text: task.score(example, text)["exact_match"] for text in right} == right
    kept = Translation(path=task.path, held_out=0.0, letters="kept")
    assert [e.target for e in kept.examples("train")][:2] == ["Va !", "Marche."]
    assert (task.typed("GO.  Now").prompt, kept.typed("GO.  Now").prompt) == ("go. now", "GO. Now")


@pytest.mark.parametrize("most", (1, 3))
def test_no_source_is_in_two_splits_whatever_its_marks_and_capitals(path, most):
    task = Translation(path=path, joined=most, held_out=0.2)
    # A joined source is words between marks, of which each sentence has one at its end.
    held = {}
    for split in SPLITS:
        sources = [e.prompt for e in task.examples(split)]
        held[split] = {
            " ".join(words(s)) for source in sources for s in source.replace("!", ".").split(".") if s
        }
        assert len(held[split]) > 10
        assert all(task.split_of(example) == split for example in task.examples(split))
    assert not any(held[one] & held[other] for one, other in itertools.combinations(SPLITS, 2))
    assert sum(map(len, held.values())) == len({line.split("\t")[0].lower().rstrip(".!") for line in lines()})


def test_each_source_is_asked_once_and_every_translation_is_learned(path):
    task = Translation(path=path)
    asked = [e.prompt for e in task.questions("test", seed=3)]
    learned = Counter(e.prompt for e in task.examples("test"))
    assert Counter(asked) == dict.fromkeys(learned, 1)
    assert {learned[source] for source in asked} == {1, 2}
    assert asked != [e.prompt for e in task.questions("test", seed=4)]


def test_joined_sentences_stand_one_behind_another():
    alone = [Sentence((source,), (targets,)) for source, targets in SAID.items()]
    found = joined(alone, 3)
    assert [len(one.sources) for one in found] == [1] * 3 + [2] * 3 + [3] * 3
    for one in found[3:]:
        assert one.source == " ".join(one.sources)
        assert one.parts == tuple(SAID[source] for source in one.sources)
    for count in (2, 3):  # each stands in each place once
        places = zip(*(one.sources for one in found if len(one.sources) == count), strict=True)
        assert all(sorted(place) == sorted(SAID) for place in places)
    assert found == joined(alone, 3) and joined(alone, 1) == alone


def test_every_mixture_of_the_parts_translations_is_right():
    one = Sentence(("one", "two", "one"), (SAID["one"], SAID["two"], SAID["one"]))
    right = {" ".join(parts) for parts in itertools.product(*one.parts)}
    assert {text for text in right if one.is_translation(text)} == right and len(right) == 4
    assert set(one.references()) <= right and len(one.references()) == 2
    for wrong in ("un deux", "un deux un un", "deux un un", "un deux trois", "undeux un", ""):
        assert not one.is_translation(wrong)


def test_a_question_that_joined_sentences_make_is_kept_out(tmp_path, path):
    alone = {split: {e.prompt for e in Translation(path=path).examples(split)} for split in SPLITS}
    free = Translation(path=path, joined=2)
    before = {split: {e.prompt for e in free.examples(split)} for split in SPLITS}
    held = {split: set(sorted(before[split] - alone[split])[::2]) for split in SPLITS}
    assert all(held.values())
    lines = [prompt.upper().replace(".", " !") for prompts in held.values() for prompt in sorted(prompts)]
    (tmp_path / "held.txt").write_text("\n".join(lines) + "\n")
    task = Translation(path=path, joined=2, hold_out=str(tmp_path / "held.txt"))
    after = {split: {e.prompt for e in task.examples(split)} for split in SPLITS}
    assert after["train"] == before["train"] - held["train"]
    assert after["validation"] == before["validation"] - held["validation"]
    assert after["test"] >= before["test"]


def test_thirds_are_as_equal_as_lengths_allow():
    assert thirds(range(1, 10)) == ((1, 3), (4, 6), (7, 9))
    assert thirds([2] * 10 + [3] * 10 + [9] * 10) == ((2, 2), (3, 3), (9, 9))
    assert thirds([1, 2, 2, 2, 2, 2, 2, 2, 3, 7]) == ((1, 1), (2, 2), (3, 7))
    assert thirds([4, 4]) == ((4, 4),) and thirds([4, 6]) == ((4, 4), (6, 6))


def test_scores_are_of_the_corpus_and_of_each_length(path):
    task = Translation(path=path, held_out=0.3)
    questions = list(task.questions("test"))
    rows = {}
    for example in questions:
        rows.setdefault(example.group, []).append(example)
    assert len(rows) == 3
    for name, examples in rows.items():
        low, *high = (int(part) for part in name.split()[0].split("-"))
        assert {len(words(e.prompt)) for e in examples} <= set(range(low, (high or [low])[0] + 1))
    answers = [(e, e.target if i % 2 else e.prompt.upper()) for i, e in enumerate(questions)]
    found = task.summary(answers, ())
    # The short ones first, behind the whole.
    assert list(found)[:4] == ["BLEU", *(f"BLEU, {name}" for name in sorted(rows))]
    for name in (None, *rows):
        chosen = [(e, text.lower()) for e, text in answers if name in (None, e.group)]
        texts, references = [t for _, t in chosen], [task.references(e) for e, _ in chosen]
        assert found["BLEU" + (f", {name}" if name else "")] == bleu(texts, references)
    best = task.summary([(e, e.target) for e in questions], ())
    assert best["chrF"] == pytest.approx(100) and all(value <= 100.001 for value in best.values())


@pytest.mark.parametrize(
    "line, why",
    [
        ("Go. Va !", "line 3 has 1 column: 'Go. Va !'; a line is a source, a tab and a target"),
        ("Go.\tVa !\tme\tyou", "line 3 has 4 columns: "),
        (" \tVa !", "line 3 has an empty source: "),
        ("Go.\t\tme", "line 3 has an empty target: "),
    ],
)
def test_a_malformed_line_is_told_by_its_number(tmp_path, line, why):
    (tmp_path / "pairs.tsv").write_text(f"Hi.\tSalut.\n\n{line}\nHi.\tSalut !\n")
    with pytest.raises(ValueError) as error:
        read_translations(str(tmp_path / "pairs.tsv"), lowered=True)
    assert why in str(error.value) and "\n" not in str(error.value)


def test_what_is_missing_is_told_before_training(tmp_path, path, jaxgpt, monkeypatch):
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        list(Translation().examples("train"))
    with pytest.raises(ValueError, match=r"joined=0 must be at least 1"):
        Translation(joined=0)
    with pytest.raises(ValueError, match=r"no source for test with task\.held_out=0\.0; raise that"):
        list(Translation(path=path, held_out=0.0).examples("test"))
    given = ("train", "translation", "--task.path", path, "--workdir", tmp_path / "run", "--dry-run")
    code, _, error = jaxgpt(*given, "--model.max-length", 4)
    assert code == 2 and "more than model.max_length allows" in error and error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    code, _, error = jaxgpt(*given)
    assert code == 2 and "sacrebleu, which is not installed" in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.thorough
def test_a_run_records_the_scores_of_each_seed_by_length(tmp_path, path, jaxgpt):
    small = {"model": "small_rnn_search", "model.d-model": 8, "tokenizer": "bpe:300", "seeds": 2}
    small |= {"training.steps": 2, "training.batch-size": 4, "training.test-examples": 20}
    options = [text for name, value in small.items() for text in (f"--{name}", value)]
    run = tmp_path / "run"
    code, out, error = jaxgpt("train", "translation", "--task.path", path, "--workdir", run, *options)
    assert code == 0, error
    recorded = json.loads((run / "evaluation.json").read_text())["summary"]
    names = [name for name in recorded if name.startswith("BLEU, ")]
    assert len(names) == 3 and all(len(recorded[name]["per_seed"]) == 2 for name in ("BLEU", "chrF", *names))
    code, out, error = jaxgpt("evaluate", run, "--n", 20)
    assert code == 0 and all(name in out for name in names)


def test_the_compared_models_have_about_as_many_weights():
    (axis,) = COMPARED["translation"].vary.values()
    sizes = []
    for name in axis:
        config = presets.named(name).for_vocabulary(Vocabulary([str(i) for i in range(2048)]))
        model = nnx.eval_shape(lambda config=config: Transformer(config, rngs=nnx.Rngs(0)))
        sizes.append(sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model))))
    assert max(sizes) < 1.02 * min(sizes), sizes
    assert experiments.compared("translation") == COMPARED["translation"]


def test_a_joined_sentence_is_none_of_the_file_nor_of_another_split(tmp_path):
    """Short sentences whose pairs are lines of their own, with other translations."""
    short = [
        "Go.",
        "Wait.",
        "Come in.",
        "Help me.",
        "Be nice.",
        "Sit down.",
        "Thank you.",
        "I ran.",
        "I won.",
    ]
    lines = [f"{one}\tx{i}." for i, one in enumerate(short)]
    lines += [f"{a} {b}\ty{i},{k}." for i, a in enumerate(short) for k, b in enumerate(short)]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(lines) + "\n")
    task = Translation(path=str(path), joined=3, held_out=0.2)
    prompts = {split: {example.prompt for example in task.examples(split)} for split in SPLITS}
    assert not prompts["train"] & prompts["test"] and not prompts["train"] & prompts["validation"]
    for split in SPLITS:
        for example in task.examples(split):
            assert task.score(example, example.target) == {"exact_match": 1.0}
    assert any(len(prompt) > 25 for prompt in prompts["train"])  # what is no line is still joined
