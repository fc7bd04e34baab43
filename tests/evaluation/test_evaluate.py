"""Exact match against answers that are known."""

import dataclasses
import itertools
import json

import pytest
from evaluation_tasks import Doubles

from jaxgpt import generation
from jaxgpt.evaluation.intervals import bounded_mean, wilson
from jaxgpt.evaluation.questions import Question, count_trained_on, distinct
from jaxgpt.evaluation.scoring import evaluate, exact_match
from jaxgpt.evaluation.scoring_options import TrainedOn
from jaxgpt.task import Example, Task
from tasks.arithmetic.task import Arithmetic
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.corpus.pair_rows import Form, read_pairs
from tasks.fractions import Fractions
from tasks.gcd import Gcd
from tasks.gpt3_arithmetic.task import Gpt3Arithmetic
from tasks.matrices import Matrices
from tasks.modular import Modular
from tasks.sorting import Sorting
from tasks.strings import Strings
from tasks.strings.rules.equal import Equal


def test_an_oracle_makes_no_mistake(task, tokenizer, build, oracle):
    found = evaluate(
        [build()], tokenizer, task, n=40, n_extra=6, trained_on=TrainedOn([Example("1=", "2")] * 3)
    )
    assert found.exact_match == 1.0 and found.interval == wilson(40, 40)
    assert (found.n, found.seeds, found.mistakes, found.not_asked) == (40, 1, (), ())
    assert found.summary["pairs"].mean == 40 and found.summary["trained"].mean == 3
    assert found.scores["length"].mean > 1
    settings = {"held_out": 0.1, "hold_out": "", "limit": 1000, "extra": True}
    assert found.to_json()["task"] == {"kind": "evaluation_tasks:Doubles"} | settings


def test_it_says_how_many_questions_were_trained_on(task, tokenizer, build, oracle):
    asked = distinct(task.questions("test"), 40)
    for seen in (0, 13):
        found = evaluate([build()], tokenizer, task, n=40, n_extra=0, trained_on=TrainedOn(asked[:seen]))
        assert (found.to_json()["trained_on"], found.to_json()["asked"]) == (seen, 40)
        said = "13 of 40 questions were among the training examples"
        assert (said in found.table().splitlines()) == bool(seen)


def test_one_wrong_answer_is_found_and_shown_in_ordinary_notation(task, tokenizer, build, oracle):
    asked = distinct(task.questions("test"), 40)
    wrong = asked[23]
    right = oracle.answer
    oracle.answer = lambda seed, prompt: "007" if prompt == wrong.prompt else right(seed, prompt)
    found = evaluate([build()], tokenizer, task, n=40, n_extra=6)
    assert found.exact_match == 39 / 40 and found.interval == wilson(39, 40)
    (mistake,) = found.mistakes
    assert (mistake.prompt, mistake.target, mistake.completion) == (wrong.prompt, wrong.target, "007")
    assert mistake.answered == f"two times {wrong.prompt[:-1]} is 007"
    assert mistake.expected == f"two times {wrong.prompt[:-1]} is {wrong.target}"
    assert mistake.scores == {"exact_match": 0.0, "length": 3.0}
    hurt = {row.group: row.exact_match.mean for row in found.groups if row.exact_match.mean < 1}
    (row,) = [row for row in found.groups if row.group == wrong.group]
    assert hurt == {wrong.group: (row.n - 1) / row.n}


def test_groups_and_headings_add_up(task, tokenizer, build, oracle):
    oracle.answer = lambda seed, prompt: str(2 * int(prompt[:-1])) if int(prompt[:-1]) % 3 else ""
    found = evaluate([build()], tokenizer, task, n=60, n_extra=9)
    asked = distinct(task.questions("test"), 60)
    by_hand = sum(int(e.prompt[:-1]) % 3 > 0 for e in asked) / 60
    assert found.exact_match == pytest.approx(by_hand)
    inside = [row for row in found.groups if row.in_distribution]
    for rows in (inside, found.headings):
        assert sum(row.n for row in rows) == 60
        assert sum(row.n * row.exact_match.mean for row in rows) == pytest.approx(60 * by_hand)
    (outside,) = [row for row in found.groups if not row.in_distribution]
    assert (outside.group, outside.n) == ("7 digits", 9)
    assert outside.exact_match.mean == pytest.approx(6 / 9)
    assert {row.group for row in found.headings} == {"even", "odd"}


def test_every_seed_answers_the_same_questions_and_the_interval_is_over_seeds(task, tokenizer, build, oracle):
    oracle.answer = lambda seed, prompt: str(2 * int(prompt[:-1])) if int(prompt[:-1]) % (seed + 2) else "x"
    found = evaluate([build(s) for s in range(3)], tokenizer, task, n=50, n_extra=0)
    prompts = [e.prompt for e in distinct(task.questions("test"), 50)]
    by_hand = [sum(int(p[:-1]) % m > 0 for p in prompts) / 50 for m in (2, 3, 4)]
    assert [call[0] for call in oracle.calls] == [prompts] * 3
    assert found.per_seed == pytest.approx(by_hand) and found.seeds == 3
    assert found.exact_match == pytest.approx(sum(by_hand) / 3)
    assert found.interval == bounded_mean(by_hand)
    assert all(len(row.exact_match.per_seed) == 3 for row in found.groups)
    assert found.summary["pairs"].per_seed == (50.0, 50.0, 50.0)
    assert "each seed:" in found.table()


def test_what_has_no_room_is_counted_and_not_dropped(task, tokenizer, build, oracle):
    # bos, 7 digits, = and 7 digits are 16 tokens; three digits and their double at most 9.
    found = evaluate([build(max_length=12)], tokenizer, task, n=40, n_extra=6)
    (entry,) = found.not_asked
    assert (entry.group, entry.n, entry.in_distribution) == ("7 digits", 6, False)
    assert entry.reason == "16 tokens, model.max_length is 12"
    assert found.n == 40 and {row.group for row in found.groups} <= {"1 digits", "2 digits", "3 digits"}
    assert "7 digits: 6, 16 tokens" in found.table()
    assert all(len(prompt) < 8 for prompt in oracle.calls[0][0])


def test_no_question_with_room_is_no_number(task, tokenizer, build, oracle):
    found = evaluate([build(max_length=2)], tokenizer, task, n=4, n_extra=2)
    assert (found.exact_match, found.interval, found.n, oracle.calls) == (None, None, 0, [])
    assert "no held-out question was asked" in found.table()
    json.dumps(found.to_json(), allow_nan=False)


def test_a_completion_has_room_for_the_longest_target_and_its_end(task, tokenizer, build, oracle):
    evaluate([build()], tokenizer, task, n=40, n_extra=6, batch_size=17)
    options = oracle.calls[0][1]
    assert options["max_new_tokens"] > 7 and options["overflow"] == "stop" and options["batch_size"] == 17


def test_progress_counts_up_to_the_total_over_all_seeds(task, tokenizer, build, oracle):
    seen = []
    evaluate(
        [build(0), build(1)], tokenizer, task, n=10, n_extra=0, progress=lambda *state: seen.append(state)
    )
    assert seen == [(5, 20), (10, 20), (15, 20), (20, 20)]


def test_fewer_questions_than_asked_for(tokenizer, build, oracle):
    small = Doubles(limit=40, extra=False)
    found = evaluate([build()], tokenizer, small, n=1000)
    assert found.n == sum(small.split_of(small.of(i)) == "test" for i in range(40))


def test_strings_of_a_rule_that_has_few_are_written_as_often_as_is_asked(tokenizer, build, oracle):
    task = Strings(rule=Equal(pairs=("0=2",), shortest=4, longest=5))
    written = itertools.cycle(["0100", "0110", "10101"])
    oracle.answer = lambda seed, prompt: next(written)
    found = evaluate([build()], tokenizer, task, split="validation", n=30, n_extra=0)
    (prompts, options), *others = oracle.calls
    assert prompts == [""] * 30 and not others
    assert options["max_new_tokens"] == 24  # as many as the model has room for
    assert found.n == 30 and found.exact_match == pytest.approx(2 / 3)
    assert found.summary["repeated"].mean == pytest.approx(27 / 30)


def test_exact_match_alone_is_the_headline(task, tokenizer, build, oracle):
    oracle.answer = lambda seed, prompt: str(2 * int(prompt[:-1])) if int(prompt[:-1]) % 2 else ""
    models = [build()]
    whole = evaluate(models, tokenizer, task, split="validation", n=30)
    assert exact_match(models, tokenizer, task, n=30) == whole.overall.exact_match


def test_arguments_that_do_not_fit(task, tokenizer, build, oracle):
    with pytest.raises(ValueError, match="at least one model"):
        evaluate([], tokenizer, task)
    with pytest.raises(ValueError, match="n=0"):
        evaluate([build()], tokenizer, task, n=0)

    @dataclasses.dataclass(frozen=True)
    class Scoreless(Doubles):
        def score(self, example, completion):
            return {"length": 1.0}

    with pytest.raises(ValueError, match="exact_match among them"):
        evaluate([build()], tokenizer, Scoreless(), n=5)


@pytest.mark.thorough
def test_with_a_real_model_and_the_real_decoder(task, tokenizer, build):
    found = evaluate(
        [build(0), build(1)], tokenizer, task, n=8, n_extra=2, trained_on=TrainedOn([Example("1=", "2")])
    )
    assert 0 <= found.exact_match <= 1 and found.n == 8 and len(found.mistakes) > 0
    assert found.likelihood["held_out"].tokens > found.likelihood["train"].tokens == 2


def test_of_several_answers_the_task_takes_one(monkeypatch, tokenizer, build):
    class Picky(Doubles):
        candidates, temperature = 3, 1.0

        def choose(self, example, completions):
            return completions.index(example.target)

    def complete(model, tokenizer, prompts, *, sampling, batch_size, **rest):
        assert (sampling.temperature, sampling.num_samples) == (1.0, 3) and batch_size * 3 <= 64
        return [["1", str(2 * int(prompt[:-1])), "3"] for prompt in prompts]

    monkeypatch.setattr(generation, "complete", complete)
    assert evaluate([build()], tokenizer, Picky(), n=20, n_extra=0).exact_match == 1.0


@pytest.mark.parametrize(
    "own, trained, others",
    [
        (Arithmetic(max_digits=2), "3+45", ["45+3", "Q: What is 45 plus 3?\n\nA:", "$45+3=", "3 + 45 ="]),
        (Gpt3Arithmetic(), "48 plus 76", ["76 + 48", "What is 76 plus 48?"]),
        (Gpt3Arithmetic(), "(9 + 8) * 2", ["(8 + 9) * 2"]),
        (Gcd(), "84,36", ["36,84", "gcd(36, 84)"]),
        (Fractions(), "1/2+1/3", ["1/3 + 1/2"]),
        (Sorting(), "3,1,2", ["1,2,3"]),
        (Comparison(), "9.9?9.11", ["9.11?9.9"]),
        (Modular(mirrored="together"), "3+4", ["4 + 3"]),
        (Matrices(), "1x1 1 + 1x1 2", ["1x1 2 + 1x1 1 ="]),
        (BaseConversion(), "26", ["26 ="]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Task) else "",
)
def test_questions_of_a_file_are_known_in_any_order_and_wording(own, trained, others, tmp_path):
    file = tmp_path / "theirs.tsv"
    file.write_text("".join(text.replace("\n", r"\n") + "\t0\n" for text in others))
    theirs = read_pairs(str(file), Form(1, "", "read", "", "", "kept"), alone=True)
    asked = [Question(example) for example in [*theirs, Example("no question of it", "0")]]
    assert count_trained_on(asked, [own.typed(trained)], own) == len(others)
    assert count_trained_on(asked, [], own) == 0
