"""Rules that ask: answers are those of plain oracles, near misses are refused, questions are counted out."""

import importlib
import itertools
import math
import random
import statistics

import pytest

from tasks.strings import Rule, Strings
from tasks.strings.rules.binary_addition import BinaryAddition
from tasks.strings.rules.bucket_sort import BucketSort
from tasks.strings.rules.copying import Copying
from tasks.strings.rules.cycle_navigation import CycleNavigation
from tasks.strings.rules.missing_duplicate import MissingDuplicate
from tasks.strings.rules.modular_arithmetic import ModularArithmetic
from tasks.strings.rules.modular_brackets import ModularBrackets
from tasks.strings.rules.parity import Parity
from tasks.strings.rules.recall import Recall
from tasks.strings.rules.selective_copying import SelectiveCopying
from tasks.strings.rules.solve_equation import SolveEquation

ASKING = {name: Rule.named(name) for name in Rule.names() if Rule.named(name).asks}


def test_a_question_is_what_stands_before_its_answer():
    """So a line that has the answer, too, is kept out of training, and one without a question is refused."""
    task = Strings(rule=Copying(shortest=1, longest=6))
    example = next(iter(task.examples("train")))
    for text in (example.prompt, example.prompt + example.target):
        assert task.typed(text).canonical == example.canonical
        assert list(task.held_forms(text)) == [example.canonical]
    with pytest.raises(ValueError, match=r"cannot read 'hello' as a question; write one such as \w+>"):
        task.typed("hello")


def value(text):
    """An expression with brackets, as a whole number."""

    def part(at):
        if text[at] != "(":
            end = at + 1 + (text[at] == "-")
            return int(text[at:end]), end
        first, at = part(at + 1)
        if text[at] == ")":
            return first, at + 1
        second, end = part(at + 1)
        return {"+": first + second, "-": first - second, "*": first * second}[text[at]], end + 1

    found, end = part(0)
    assert end == len(text)
    return found


def products_first(text):
    terms = text.replace("-", "+-").split("+")
    return sum(math.prod(map(int, term.split("*"))) for term in terms)


def binary(text):
    return sum(2**place for place, digit in enumerate(text) if digit == "1")


def popped(text):
    stack = ""
    for symbol in text:
        stack = stack[:-1] if symbol == "." else stack + symbol.lower()
    return stack[::-1]


def missing(text):
    tries = {symbol: text.strip("_").replace("?", symbol) for symbol in "01"}
    [found] = [symbol for symbol, word in tries.items() if word == 2 * word[: len(word) // 2]]
    return found


def solution(text):
    left, right = text.split("=")
    [found] = [x for x in "01234" if value(left.replace("x", x)) % 5 == int(right)]
    return found


def recalled(text):
    pairs, asked = text.split("|")
    return "".join(pairs[pairs[::2].index(key) * 2 + 1] for key in asked)


def odds_first(word):
    odd = {place: place % 2 for place in range(1, len(word) + 1)}
    return "".join(word[place - 1] for place in sorted(odd, key=lambda place: (-odd[place], place)))


ORACLES = {
    "binary_addition": lambda q: f"{sum(map(binary, q.split('+'))):b}"[::-1],
    "binary_multiplication": lambda q: f"{math.prod(map(binary, q.split('*'))):b}"[::-1],
    "bucket_sort": lambda q: "".join(sorted(q)),
    "copying": lambda q: q,
    "cycle_navigation": lambda q: str(sum({"l": -1, "r": 1, "s": 0}[step] for step in q) % 5),
    "duplication": lambda q: q + q,
    "even_pairs": lambda q: str(int(q[0] != q[-1])),
    "missing_duplicate": missing,
    "modular_arithmetic": lambda q: str(products_first(q) % 5),
    "modular_brackets": lambda q: str(value(q) % 5),
    "odds_first": odds_first,
    "parity": lambda q: str(sum(map(int, q)) % 2),
    "recall": recalled,
    "reversal": lambda q: "".join(reversed(q)),
    "selective_copying": lambda q: "".join(symbol for symbol in q if symbol != "."),
    "solve_equation": solution,
    "square_root": lambda q: f"{math.isqrt(int(q, 2)):b}".zfill(math.ceil(len(q) / 2)),
    "stack_manipulation": popped,
}


#: Settings with few questions, and the symbols of questions and of answers.
SMALL = {
    "binary_addition": ({"longest": 6}, "01+", "01"),
    "binary_multiplication": ({"longest": 6}, "01*", "01"),
    "bucket_sort": ({"longest": 4, "alphabet": "012"}, "012", "012"),
    "copying": ({"longest": 5}, "01", "01"),
    "cycle_navigation": ({"longest": 5}, "lrs", "01234"),
    "duplication": ({"longest": 5}, "01", "01"),
    "even_pairs": ({"longest": 6}, "01", "01"),
    "missing_duplicate": ({"longest": 7}, "01?_", "01"),
    "modular_arithmetic": ({"longest": 4, "modulus": 3}, "012+-*", "012"),
    "modular_brackets": ({"longest": 5, "modulus": 2}, "01+-*()", "01"),
    "odds_first": ({"longest": 5}, "01", "01"),
    "parity": ({"longest": 6}, "01", "01"),
    "recall": ({"longest": 6, "asked": 1, "shortest": 4, "alphabet": "ab01"}, "ab01|", "01"),
    "reversal": ({"longest": 5}, "01", "01"),
    "selective_copying": ({"longest": 5, "alphabet": "ab", "blanks": 0.4}, "ab.", "ab"),
    "solve_equation": ({"longest": 5, "modulus": 2}, "01x=-()", "01"),
    "square_root": ({"longest": 6}, "01", "01"),
    "stack_manipulation": ({"longest": 4}, "abAB.", "ab"),
}

each_rule = pytest.mark.parametrize("name", ASKING)


def question_of(rule, text):
    return text[: rule.given(text) - 1]


def test_every_rule_that_asks_is_tested():
    assert set(ORACLES) == set(SMALL) == set(ASKING) and len(ASKING) == 18


@each_rule
def test_answers_are_those_of_the_oracle(name):
    rule, rng = ASKING[name](), random.Random(3)
    for text in [rule.sample(rng) for _ in range(300)]:
        question, answer = text[: rule.given(text) - 1], text[rule.given(text) :]
        assert answer == ORACLES[name](question), text
        assert text == question + rule.separator + answer and rule.separator not in question
        assert rule.check(text) is None
        assert rule.shortest <= len(question) <= rule.longest
    assert rule.floor().loss == 0 and rule.explanation() and not rule.explanation().endswith(".")


@each_rule
def test_near_misses_are_told_with_their_reason(name):
    rule, rng = ASKING[name](), random.Random(4)
    for text in [rule.sample(rng) for _ in range(50)]:
        question, answer = text[: rule.given(text)], text[rule.given(text) :]
        assert rule.check(text + "0") == rule.check(question + 2 * answer + "0") == rule.reasons[1]
        if answer:
            for at in (0, len(answer) - 1):
                changed = answer[:at] + ("1" if answer[at] != "1" else "0") + answer[at + 1 :]
                assert rule.check(question + changed) == "wrong answer"
            assert rule.check(question + answer[:-1]) == "wrong length of the answer"
        for other in (question[:-1], "#" + text[1:], rule.separator + text, "", answer):
            assert rule.check(other) == "no such question", other
    assert rule.of_length(rule.longest + 7).check(text) == "no such question"


@each_rule
def test_longer_questions_have_the_length_that_is_asked(name):
    rule, rng = ASKING[name]().of_length(100), random.Random(5)
    texts = [rule.sample(rng) for _ in range(20)]
    # Digits with a sign between each two are an odd number of symbols.
    length = 99 if name == "modular_arithmetic" else 100
    assert {len(question_of(rule, text)) for text in texts} == {length}
    assert {rule.check(text) for text in texts} == {None}
    assert all(text.endswith(rule.separator + ORACLES[name](question_of(rule, text))) for text in texts)


@each_rule
def test_what_is_drawn_is_what_is_accepted_and_counted(name):
    settings, symbols, _ = SMALL[name]
    rule, rng = ASKING[name](**settings), random.Random(6)
    lengths = range(rule.shortest, rule.longest + 1)
    words = ("".join(word) for n in lengths for word in itertools.product(symbols, repeat=n))
    accepted = {word for word in words if rule.check(word + rule.separator + "#") != "no such question"}
    if name == "modular_arithmetic":
        assert {len(word) % 2 for word in accepted} == {1}
    assert {question_of(rule, rule.sample(rng)) for _ in range(100 * len(accepted))} == accepted
    if rule.size() is None:
        assert name in ("solve_equation", "recall")
    else:
        assert rule.size() == len(accepted)


@each_rule
def test_chance_is_the_share_of_guesses_that_are_right(name):
    settings, _, symbols = SMALL[name]
    rule, rng = ASKING[name](**settings), random.Random(7)
    if rule.chance() is None:
        assert name in ("binary_addition", "binary_multiplication", "stack_manipulation")
        return
    lengths = [len(text) - rule.given(text) for text in (rule.sample(rng) for _ in range(4000))]
    symbols = 5 if name == "cycle_navigation" else len(symbols)
    assert rule.chance() == pytest.approx(statistics.mean(symbols**-n for n in lengths), rel=0.1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("parity", "1010100>1"),
        ("parity", "01111>0"),
        ("even_pairs", "001110>0"),
        ("even_pairs", "0101001>1"),
        ("cycle_navigation", "rlsll>3"),
        ("cycle_navigation", "rrrl>2"),
        ("modular_arithmetic", "1+2*3=2"),
        ("modular_arithmetic", "1-1-1=4"),
        ("modular_arithmetic", "0*1+4*3-2=0"),
        ("stack_manipulation", "abbaB..>bba"),
        ("stack_manipulation", "bba...>"),
        ("reversal", "011010>010110"),
        ("duplication", "101>101101"),
        ("missing_duplicate", "01100?10>1"),
        ("missing_duplicate", "1011?1_>0"),
        ("odds_first", "00110101>01000111"),
        ("odds_first", "110>101"),
        ("binary_addition", "001+01101=01011"),
        ("binary_addition", "1001+000001=100101"),
        ("binary_multiplication", "001*01101=0001101"),
        ("binary_multiplication", "1001*000001=000001001"),
        ("square_root", "111>10"),
        ("bucket_sort", "10204112>00111224"),
    ],
)
def test_the_examples_of_the_paper(name, text):
    assert ASKING[name]().check(text) is None


@pytest.mark.parametrize("name", ASKING)
def test_the_example_at_the_top_of_a_file_keeps_the_rule(name):
    module = importlib.import_module(ASKING[name].__module__)
    example = next(line for line in module.__doc__.splitlines() if line.startswith("    ")).strip()
    assert ASKING[name]().check(example) is None, example


@pytest.mark.parametrize(
    ("rule", "question"),
    [
        (BinaryAddition(), "00+01"),
        (BinaryAddition(), "1+1+1"),
        (BinaryAddition(), "+11"),
        (Copying(longest=3), "0101"),
        (MissingDuplicate(), "0?10"),
        (MissingDuplicate(), "1?1?"),
        (MissingDuplicate(), "10?10"),
        (MissingDuplicate(), "?"),
        (ModularArithmetic(), "5+1"),
        (ModularArithmetic(), "1++1+1"),
        (ModularArithmetic(longest=40), "1" + "+1" * 20),
        (ModularBrackets(), "1+2"),
        (ModularBrackets(), "((1))"),
        (ModularBrackets(), "-(1+2)"),
        (ModularBrackets(), "(1+(2)"),
        (ModularBrackets(), "(a+2)"),
        (ModularBrackets(signs="+-"), "(1*2)"),
        (ModularBrackets(longest=10**5), "(" * 10**5),
        (Recall(asked=1), "a1a2b3|b"),
        (Recall(asked=1), "a1b2a1|c"),
        (Recall(asked=1), "a1ijb2|b"),
        (Recall(asked=1, noise=0.5), "a1i2b2|b"),
        (SelectiveCopying(), "...."),
        (SolveEquation(), "(1+2)=3"),
        (SolveEquation(), "(x+x)=2"),
        (SolveEquation(), "(x+2)=7"),
        (SolveEquation(), "(x+2=3"),
    ],
)
def test_what_is_no_question_is_refused(rule, question):
    assert {rule.check(f"{question}{rule.separator}{answer}") for answer in "01234"} == {"no such question"}


def test_noise_is_not_recalled():
    rule, rng = Recall(asked=2, noise=0.6, shortest=9, longest=21), random.Random(8)
    texts = [rule.sample(rng) for _ in range(200)]
    assert {rule.check(text) for text in texts} == {None}
    assert all(text.endswith(ORACLES["recall"](question_of(rule, text))) for text in texts)
    pairs = [len(text.split("|")[0]) // 2 for text in texts]
    noise = [sum(text.count(symbol) for symbol in rule.noises) // 2 for text in texts]
    expected = statistics.mean(0.6 * (n - 1) for n in pairs)
    assert statistics.mean(noise) == pytest.approx(expected, rel=0.1)
    assert rule.check("a1ijb2|ba>21") is None


def test_other_alphabets_and_moduli():
    assert BucketSort(alphabet="cba").check("abcab>cbbaa") is None
    assert CycleNavigation(modulus=3).check("rrrrl>0") is None
    assert ModularBrackets(modulus=10).check("((7*8)-9)=7") is None
    assert SolveEquation(modulus=10).check("((x-8)+9)=0>9") is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Parity(shortest=0), ("shortest=0",)),
        (lambda: BinaryAddition(shortest=2), ("shortest=2", "binary_addition", "3 symbols")),
        (lambda: Copying(alphabet="0>"), ("alphabet='0>'", "has >")),
        (lambda: Copying(alphabet="00"), ("alphabet='00'", "each once")),
        (lambda: CycleNavigation(modulus=11), ("modulus=11", "2 to 10")),
        (lambda: ModularBrackets(signs="+/"), ("signs='+/'", "+ - *")),
        (lambda: SelectiveCopying(blanks=1), ("blanks=1", "below 1")),
        (lambda: SelectiveCopying(alphabet="a."), ("alphabet='a.'",)),
        (lambda: Recall(alphabet="abc"), ("alphabet='abc'", "as many values")),
        (lambda: Recall(asked=4), ("asked=4", "shortest=6")),
        (lambda: Recall(noise=0.5, noises=""), ("noise=0.5", "noises")),
        (lambda: Recall(noises="|"), ("noises='|'",)),
        (lambda: Recall(noises="a"), ("alphabet=", "has a")),
        (lambda: Strings(rule=MissingDuplicate(), extra_lengths=(1,)), ("extra_lengths=(1,)", "2 symbols")),
        (
            lambda: Strings(rule=Recall(), extra_lengths=(42, 41)),
            ("questions of length 41, of 40 symbols, are trained on", "more symbols than rule.longest=40"),
        ),
        (
            lambda: Strings(rule=ModularArithmetic(longest=41), extra_lengths=(50, 42)),
            ("questions of length 42, of 41 symbols, are trained on", "rule.longest=41"),
        ),
        (
            lambda: Strings(rule=ModularArithmetic(shortest=6), extra_lengths=(5,)),
            ("questions of length 5 are trained on", "rule.longest=40"),
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError) as error:
        make()
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message


@each_rule
def test_a_task_asks_the_questions(name):
    task = Strings(rule=ASKING[name](), extra_lengths=(50, 70))
    examples = list(itertools.islice(task.examples("train"), 20))
    assert len({example.prompt for example in examples}) > 10
    assert all(example.prompt.endswith(task.rule.separator) for example in examples)
    for example in itertools.chain(examples, itertools.islice(task.extra_questions("test"), 4)):
        assert task.score(example, example.target) == {"exact_match": 1.0}
        assert task.score(example, example.target + "1") == {"exact_match": 0.0}
    assert "least loss  0.0000" in task.notes()
