"""Files of the tests as they are published: what is counted, against sums over the plain decoder."""

import dataclasses
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from zero_shot_models import LENGTH, log_likelihood, model, of_texts, tokenizer

from jaxgpt.core.json_objects import read_objects
from jaxgpt.evaluation.zero_shot import cbt, choices, lambada
from jaxgpt.evaluation.zero_shot.continuations import Scored, check
from jaxgpt.evaluation.zero_shot.items import Reading
from jaxgpt.evaluation.zero_shot.scoring_files import TESTS, score_file
from jaxgpt.evaluation.zero_shot.stop_words import stop_tokens, stop_words
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.number.xval import XVal

PASSAGES = [
    "the cat sat on the mat",
    "once there was a king who had a horse",
    "and the dog ran to the door and the cat saw the dog and the king saw the horse and the horse saw the "
    "cat and the cat sat on the saddle",
]
CANDIDATES = ("cat", "dog", "mat", "door", "king", "horse", "saddle", "day", "sea", "sun")
STORY = [f"the king saw {number} horses ." for number in range(1, 21)]


def scored(test, path, **reading):
    return score_file([model()], tokenizer(), test, str(path), Reading(**reading))


def means(result) -> dict[str, float]:
    return {one.key: one.estimate.mean for one in result.measures}


def question(query="the XXXXX sat by the door .", answer="dog", candidates=CANDIDATES) -> str:
    lines = [f"{number} {text}" for number, text in enumerate(STORY, 1)]
    return "\n".join([*lines, f"21 {query}\t{answer}\t\t{'|'.join(candidates)}"]) + "\n"


@pytest.mark.parametrize("form", ["json", "lines"])
def test_last_words(tmp_path, form):
    file = tmp_path / ("lambada.jsonl" if form == "json" else "lambada.txt")
    rows = [json.dumps({"text": text}) if form == "json" else text for text in PASSAGES]
    file.write_text("\n".join(rows) + "\n")
    found = scored("lambada", file)
    expected = []
    for text, example in zip(PASSAGES, found.examples, strict=True):
        context, word = text.rsplit(" ", 1)
        total, likeliest = of_texts(context, " " + word)
        expected.append(total)
        assert example["log_likelihood"] == pytest.approx([total], abs=1e-4)
        assert example["right"] == [all(likeliest)]
    assert means(found)["perplexity"] == pytest.approx(math.exp(-np.mean(expected)), rel=1e-4)
    assert found.counts == {"passages": 3, "cut": 1}
    assert [one["where"] for one in found.examples] == ["line 1", "line 2", "line 3"]
    assert any("1 were longer than the model reads" in note for note in found.notes)
    assert scored("lambada", file, first=2).counts["passages"] == 2


def test_what_is_right_with_and_without_the_filter(tmp_path, monkeypatch):
    """By hand: all tokens likeliest; the first only among allowed ones; the last alone; none."""

    def said(models, asked, *, banned, progress):
        rows = [([True, True], True), ([False, True], True), ([False, True], False), ([True, False], True)]
        return [[Scored(np.ones(2), np.array(likeliest), allowed) for likeliest, allowed in rows]]

    monkeypatch.setattr(lambada, "score", said)
    (tmp_path / "a.txt").write_text("a b c\n" * 4)
    found = means(scored("lambada", tmp_path / "a.txt"))
    assert found == {
        "acc": 0.25,
        "acc_filtered": 0.5,
        "acc_last_token": 0.75,
        "perplexity": pytest.approx(math.e**2),
    }


def test_stop_words_are_banned_as_whole_tokens_alone():
    assert {"the", "and", "nobody", "through"} <= stop_words() and "door" not in stop_words()
    assert all(word.isalpha() and word.islower() for word in stop_words())
    texts = [" the", "the", " The", "\u2581and", "Ġof", " them", " ther", " ", "", " door", "\nit"]
    assert stop_tokens(texts).tolist() == [True, False, True, True, True, True, *[False] * 4, True]


def test_ten_candidates_by_the_whole_sentence(tmp_path):
    (tmp_path / "cbt.txt").write_text(question() + "\n" + question("a XXXXX was red", "saddle") + "\n\n")
    found = scored("cbt", tmp_path / "cbt.txt")
    for example, (before, rest) in zip(
        found.examples, [("the", " sat by the door ."), ("a", " was red")], strict=True
    ):
        context = " ".join([*STORY, before])
        totals = [of_texts(context, f" {word}{rest}")[0] for word in CANDIDATES]
        assert example["log_likelihoods"][0] == pytest.approx(totals, abs=1e-4)
    chosen = [int(np.argmax(one["log_likelihoods"][0])) for one in found.examples]
    right = [place == CANDIDATES.index(word) for place, word in zip(chosen, ("dog", "saddle"), strict=True)]
    assert means(found)["acc"] == np.mean(right)
    assert found.counts == {"questions": 2, "cut": 2}
    assert [one["where"] for one in found.examples] == ["line 21", "line 43"]


def test_a_blank_in_the_story_is_a_word(tmp_path):
    path = tmp_path / "cbt.txt"
    path.write_text(question().replace(f"3 {STORY[2]}", f"3 the XXXXX {STORY[2]}"))
    (one,) = cbt.questions(str(path))
    pairs = cbt.continuations(one, tokenizer(), Reading())
    texts = [tokenizer().decode([*pair.context, *pair.ids]) for pair in pairs]
    assert all(f"the XXXXX {STORY[2]}" in text for text in texts)
    assert all(
        text.endswith(f"the {word} sat by the door .") for text, word in zip(texts, CANDIDATES, strict=True)
    )


def test_quotation_marks_around_a_blank_are_undone_for_every_candidate(tmp_path):
    (tmp_path / "cbt.txt").write_text(question("he said , `` XXXXX ! ''"))
    (one,) = cbt.questions(str(tmp_path / "cbt.txt"))
    pairs = cbt.continuations(one, tokenizer(), Reading(detokenize="ptb"))
    texts = [tokenizer().decode([*pair.context, *pair.ids]) for pair in pairs]
    assert all(text.endswith(f'he said, "{word}!"') for text, word in zip(texts, CANDIDATES, strict=True))
    assert len({pair.context for pair in pairs}) == 1


def test_choices_by_sum_by_character_and_by_byte(tmp_path):
    rows = [
        {"context": "the cat sat", "choices": ["on the mat", "é", "and the king had a horse"], "answer": 0},
        {"context": "once ", "choices": ["there was", "the"], "answer": "the"},
        {"context": "", "choices": ["the", " a"], "answer": 1},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = scored("choices", tmp_path / "a.jsonl")
    given = [("the cat sat", " "), ("once", " "), ("", "")]
    right = {"acc": [], "acc_norm": [], "acc_bytes": []}
    for row, example, (context, space) in zip(rows, found.examples, given, strict=True):
        totals = np.array([of_texts(context, space + choice)[0] for choice in row["choices"]])
        assert example["log_likelihoods"][0] == pytest.approx(totals.tolist(), abs=1e-4)
        answer = row["answer"] if isinstance(row["answer"], int) else row["choices"].index(row["answer"])
        sizes = {
            "acc": 1,
            "acc_norm": np.array([*map(len, row["choices"])]),
            "acc_bytes": np.array([len(choice.encode()) for choice in row["choices"]]),
        }
        for key, size in sizes.items():
            right[key].append(np.argmax(totals / size) == answer)
    assert means(found) == {key: pytest.approx(np.mean(values)) for key, values in right.items()}


@pytest.mark.parametrize("stride", [None, 7])
def test_perplexity_of_a_text(tmp_path, stride):
    text = "".join(f"{line} .\n" for line in PASSAGES * 2) + "naïve\n"
    (tmp_path / "a.txt").write_text(text)
    found = scored("perplexity", tmp_path / "a.txt", stride=stride)
    ids, total, done = tokenizer().encode(text), 0.0, 0
    while done < len(ids):
        # The slow way: the next tokens behind all that went before, cut to what the model reads.
        end = min(len(ids), done + (LENGTH if done == 0 or stride is None else stride))
        total += log_likelihood([tokenizer().bos_id, *ids[:done]], ids[done:end])[0]
        done = end
    units = {
        "token_perplexity": len(ids),
        "word_perplexity": len(text.split()),
        "word_and_line_perplexity": len(text.split()) + 7,
    }
    got = means(found)
    for key, count in units.items():
        assert got[key] == pytest.approx(math.exp(-total / count), rel=1e-4)
    assert got["bits_per_byte"] == pytest.approx(-total / len(text.encode()) / math.log(2), rel=1e-5)
    assert got["bits_per_character"] == pytest.approx(-total / len(text) / math.log(2), rel=1e-5)
    assert found.settings == {"detokenize": "none", "stride": stride or LENGTH}
    low, high = found.measures[0].estimate.interval
    assert low < got["token_perplexity"] < high


def test_words_are_those_of_the_file_before_the_detokenizer(tmp_path):
    (tmp_path / "a.txt").write_text("the cat @-@ horse , sat .\n")
    plain, undone = (
        scored("perplexity", tmp_path / "a.txt", detokenize=name) for name in ("none", "wikitext")
    )
    assert plain.counts["words"] == undone.counts["words"] == 7
    assert undone.counts["tokens"] < plain.counts["tokens"]


def test_several_seeds_have_an_interval_over_seeds(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(PASSAGES[:2]))
    found = score_file([model(), model(1)], tokenizer(), "lambada", str(tmp_path / "a.txt"))
    estimate = found.measures[-1].estimate
    each = []
    for seed in (0, 1):
        pairs = [text.rsplit(" ", 1) for text in PASSAGES[:2]]
        each.append(math.exp(-np.mean([of_texts(c, f" {w}", seed)[0] for c, w in pairs])))
    assert estimate.per_seed == pytest.approx(tuple(each), rel=1e-4)
    assert estimate.mean == pytest.approx(np.mean(each), rel=1e-4)


CHOICE = '{{"context": "a", "choices": {}, "answer": {}}}'
LONG = " ".join(["horses"] * 60)


@pytest.mark.parametrize(
    ("test", "text", "message"),
    [
        ("lambada", "the cat sat\nalone\n", "line 2: 'alone' has no last word behind others"),
        ("lambada", '{"text": "a b"}\n{"txt": "a b"}\n', "line 2: no key 'text'; it has txt"),
        ("lambada", "a " + "x" * 60 + "\n", r"line 1: what is scored has \d+ tokens and the model reads 32"),
        ("lambada", "", "is empty"),
        ("lambada", b"a b\nc \xff\n", "line 2: byte 0xff is not UTF-8"),
        ("perplexity", " \n", "is empty"),
        ("cbt", question(candidates=(*CANDIDATES, "sky")), "line 21: 11 candidates; 10 between | are needed"),
        ("cbt", question(answer="cow"), "line 21: the answer 'cow' is not among the candidates 'cat|dog"),
        ("cbt", question("no blank"), "line 21: XXXXX stands 0 times in the query"),
        (
            "cbt",
            question().replace("3 the", "4 the"),
            "line 3: begins with '4' where the number 3 is expected",
        ),
        ("cbt", "\n".join(question().split("\n")[:9]), "line 9: the question ends after 9 lines"),
        ("cbt", question().replace("\t", " "), "line 21: 0 tabs; the query is SENTENCE<tab>ANSWER"),
        ("cbt", question(f"XXXXX {LONG}"), r"line 21: what is scored has \d+ tokens"),
        ("choices", CHOICE.format('["b"]', 0), r"line 1: 'choices' is \['b'\]; a list of two texts"),
        (
            "choices",
            CHOICE.format('["b", "c"]', 2),
            "line 1: 'answer' is 2; a choice, or its place from 0",
        ),
        ("choices", CHOICE.format('["b", "c"]', '"d"'), "line 1: the answer 'd' is not among the choices"),
        ("choices", '{"context": "a"}', "line 1: no key 'choices'; it has 'context'"),
        ("choices", "the cat", "line 1 is not JSON"),
        ("choices", "[]", "is an empty array; it should hold objects"),
        ("lambada", "[]", "is an empty array; it should hold objects"),
    ],
)
def test_files_that_are_not_of_their_form_are_told_in_one_line(tmp_path, test, text, message):
    file = tmp_path / ("file.json" if text == "[]" else "file.txt")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message.replace("|", r"\|")) as error:
        scored(test, file)
    assert str(error.value).startswith(str(file)[:40]) and "\n" not in str(error.value)


def test_a_result_is_told_and_written_whole(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(PASSAGES))
    found = scored("lambada", tmp_path / "a.txt")
    found.write(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["measures"]["acc"]["mean"] == means(found)["acc"] and len(written["examples"]) == 3
    lines = "\n".join(found.lines())
    assert (
        re.search(r"last word right +\d+\.\d\d%", lines) and "of 3 passages, 1 cut; detokenize none" in lines
    )


def test_questions_of_choices_are_read_as_they_stand():
    rows = read_objects('{"context": "a", "choices": ["b", " c"], "answer": "b"}', "a.jsonl")
    one = choices.question(next(iter(rows))[1])
    assert (one.context, one.choices, one.answer) == ("a", ("b", " c"), 0)
    assert choices.joined("a", "b") == ("a", " b") and choices.joined("a", " c") == ("a", " c")
    assert choices.joined("a ", "b") == ("a ", "b") and choices.joined("", "b") == ("", "b")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "encoder"}, "model.kind=encoder: texts are scored by a decoder"),
        ({"head": HeadConfig(weights="none")}, "head.weights=none has no logits"),
        ({"number": XVal()}, "model.number=xval reads numbers as values"),
    ],
)
def test_models_that_give_no_probability_to_a_text(fields, message):
    config = dataclasses.replace(model().config, **fields)
    with pytest.raises(ValueError, match=message):
        check(SimpleNamespace(config=config))


def test_a_tokenizer_that_changes_its_text_is_told():
    notes = Reading().notes(SimpleNamespace(lossy=True), cuts=2)
    assert [note.split()[:2] for note in notes] == [["2", "were"], ["the", "tokenizer"]]


def test_the_tests_are_named():
    assert list(TESTS) == ["lambada", "cbt", "perplexity", "choices"]
    with pytest.raises(ValueError, match="test=glue: known: lambada, cbt, perplexity, choices"):
        score_file([model()], tokenizer(), "glue", "a.txt")
