"""Rules that a prompt shows: what follows from the pairs, by other means than the task's."""

import itertools
import random

import pytest

from jaxgpt.task import SPLITS, Example
from tasks.in_context import RELATIONS, InContext

MAPS = InContext()
WORDS = InContext(rules="words", shots=8, asked=(0, 1, 8))
both = pytest.mark.parametrize("task", [MAPS, WORDS], ids=lambda task: task.rules)


def first(task, split, count, seed=0):
    return list(itertools.islice(task.questions(split, seed), count))


def possible(prompt):
    """The numbers a, b that make the pairs of a prompt of maps, and the digit that is asked."""
    *shown, asked = prompt.split(" ")
    pairs = [(int(pair[0]), int(pair[1])) for pair in shown]
    every = itertools.product(range(10), repeat=2)
    return [(a, b) for a, b in every if all((a * x + b) % 10 == y for x, y in pairs)], int(asked)


def test_a_map_makes_all_pairs_and_the_answer():
    for example in first(MAPS, "train", 300):
        maps, asked = possible(example.prompt)
        answers = [str((a * asked + b) % 10) for a, b in maps]
        assert example.target in answers
        found = MAPS.score(example, example.target)
        best = max(map(answers.count, set(answers))) / len(answers)
        assert found["exact_match"] == 1 and found["best possible"] == pytest.approx(best)
        if f" {asked}" in f" {example.prompt}"[:-1]:
            assert found["by looking up"] == best == 1
        else:
            assert found["by looking up"] == pytest.approx(0.1)


def test_no_pair_says_nothing_and_two_may_say_all():
    assert MAPS.family.chances((), "4") == {str(y): pytest.approx(0.1) for y in range(10)}
    # 3 a + b = 7 and 5 a + b = 1, so a is 2 or 7: 9 a + b is the same for both, 8 a + b is not.
    assert MAPS.family.chances([("3", "7"), ("5", "1")], "9") == {"9": 1.0}
    assert MAPS.family.chances([("3", "7"), ("5", "1")], "8") == {"7": 0.5, "2": 0.5}
    assert WORDS.family.chances([("bado", "o")], "risu") == {"u": 1.0}
    assert WORDS.family.chances((), "ken") == {
        answer: pytest.approx(1 / 6) for answer in ("k", "n", "e", "kn", "nek", "KEN")
    }


def test_relations_are_what_they_are_called():
    told = {
        "first letter": "b",
        "last letter": "o",
        "vowels": "ao",
        "consonants": "bd",
        "reversed": "odab",
        "upper case": "BADO",
    }
    assert {name: relation("bado") for name, relation in RELATIONS.items()} == told


@both
def test_every_rule_is_drawn_as_often(task):
    rng, rules = random.Random(0), task.family.rules.values()
    seen = [0] * len(rules)
    for _ in range(3000):
        example = task.example(rng)
        pairs = [*task.read(example.prompt)[0], (task.read(example.prompt)[1], example.target)]
        fits = [index for index, rule in enumerate(rules) if all(rule(x) == y for x, y in pairs)]
        assert fits
        for index in fits:  # several where a map is told from few digits
            seen[index] += 1 / len(fits)
    expected = 3000 / len(rules)
    assert max(abs(count - expected) for count in seen) < 5 * expected**0.5


@both
def test_questions_are_the_ends_of_held_out_rows(task):
    kept = {split: first(task, split, 60) for split in SPLITS}
    for split, questions in kept.items():
        assert [len(task.read(q.prompt)[0]) for q in questions[:6]] == [*task.asked, *task.asked][:6]
        for question in questions:
            assert question.key.endswith(question.prompt) and task.split_of(question) == split
    assert {q.group for q in kept["test"]} >= {"0 shots", "1 shot", "8 shots"}
    trained = {example.prompt for example in itertools.islice(task.examples("train"), 500)}
    assert not trained & {question.key for question in kept["test"]}


@both
def test_a_row_is_kept_out_as_a_whole(task):
    row = next(iter(task.examples("train")))
    assert list(task.held_forms(row.prompt)) == [row.canonical]
    with pytest.raises(ValueError, match=r"a question of 0 pairs cannot be kept out of rows of"):
        task.held_forms(row.prompt.split()[-1])


@both
def test_an_answer_ends_at_a_space(task):
    for example in first(task, "test", 20):
        for completion, right in (
            (example.target, 1),
            (example.target + " " + example.prompt, 1),
            (example.target + "x", 0),
            ("", 0),
            (" " + example.target, 0),
        ):
            assert task.score(example, completion)["exact_match"] == right


@both
def test_a_prompt_is_read_as_it_is_written(task):
    for example in first(task, "train", 20):
        assert task.prompt(f" {example.prompt} ") == example.prompt
    for text in task.sample_prompts:
        assert task.prompt(text) == text
    others = ("", "what?", "37 51 01 88", "bado>o", "bado>o risu", "> a>")
    for text in (*others, "bado>" if task is MAPS else "37 5"):
        with pytest.raises(ValueError, match="write one such as"):
            task.prompt(text)


def test_pairs_that_no_rule_makes_are_refused():
    with pytest.raises(ValueError, match=r"no rule makes all of these pairs: 37 38$"):
        MAPS.prompt("37 38 1")
    with pytest.raises(ValueError, match=r"no rule makes all of these pairs: bado>x$"):
        WORDS.score(Example("bado>x risu>", "u"), "u")


@pytest.mark.parametrize(
    "fields, said", [({"shots": 0}, "shots=0"), ({"shots": 4}, r"asked=\(0, 1, 2, 4, 8, 16\)")]
)
def test_numbers_that_do_not_fit(fields, said):
    with pytest.raises(ValueError, match=said):
        InContext(**fields)
