"""Rules on strings: what is drawn keeps them, near misses do not, and sizes and floors are counted out."""

import collections
import dataclasses
import itertools
import math
import random
import statistics

import pytest

from jaxgpt.core.choice import FieldError
from jaxgpt.core.fields import from_json, override, to_json
from jaxgpt.core.nested import replaced
from jaxgpt.evaluation import tally
from jaxgpt.evaluation.evaluation import Evaluation
from jaxgpt.runs import experiments
from jaxgpt.task import Example
from jaxgpt.task.attended import Attended
from jaxgpt.tokenizers import build
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import prepare
from tasks.strings import Rule, Strings
from tasks.strings.rules import fibonacci
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.fibonacci import Fibonacci
from tasks.strings.rules.grid import Grid
from tasks.strings.rules.marked import Marked
from tasks.strings.rules.odd_fibonacci import OddFibonacci
from tasks.strings.rules.parity import Parity
from tasks.strings.rules.recall import Recall
from tasks.strings.rules.solve_equation import SolveEquation

SMALL = {
    "fixed": Equal(pairs=("1=4",), shortest=5, longest=7),
    "from 1": Equal(pairs=("1=4", "4=-1"), shortest=4, longest=7, index_base=1),
    "from the end": Equal(pairs=("1=-2",), shortest=3, longest=8),
    "last two": Equal(pairs=("-1=-2",), shortest=2, longest=6, alphabet="abc"),
    "sharing a place": Equal(pairs=("0=3", "3=5", "0=-1"), shortest=6, longest=8),
    "one mark": Marked(count=1, shortest=2, longest=6),
    "two marks or none": Marked(count=2, share=0.3, shortest=3, longest=5, alphabet="abc", mark="*"),
    "board": Grid(rows=3, columns=4, distances=(2,), share=0.5),
}
ALL = SMALL | {
    "a lecture's board": Grid(),
    "lines": Fibonacci(),
    "reversed": Fibonacci(order="reversed", digits=5, symbols="abcdefghij."),
    "odd": OddFibonacci(),
    "large lines": Fibonacci(largest=10**15, terms=8, order="reversed"),
    "large odd": OddFibonacci(largest=10**18 - 1),
}


def written(rule):
    """Every string over the rule's symbols of its lengths."""
    if isinstance(rule, Grid):
        lengths, alphabet = [rule.rows * rule.columns], "01"
    else:
        lengths, alphabet = range(rule.shortest, rule.longest + 1), rule.alphabet + getattr(rule, "mark", "")
    return ("".join(symbols) for n in lengths for symbols in itertools.product(alphabet, repeat=n))


@pytest.mark.parametrize("rule", ALL.values(), ids=ALL)
def test_what_is_drawn_keeps_the_rule(rule):
    rng = random.Random(1)
    drawn = [rule.sample(rng) for _ in range(300)]
    assert {rule.check(text) for text in drawn} == {None}
    assert all(all(rule.parts(text).values()) for text in drawn)
    assert rule.explanation() and not rule.explanation().endswith(".")


@pytest.mark.parametrize("rule", [rule for rule in SMALL.values()], ids=SMALL)
def test_all_strings_that_keep_it_are_drawn_and_no_other(rule):
    kept = {text for text in written(rule) if rule.check(text) is None}
    rng = random.Random(2)
    # Of so many draws the rarest string is in none with a probability of e^-20.
    draws = math.ceil(20 / min(probability(rule, text) for text in kept))
    assert {rule.sample(rng) for _ in range(draws)} == kept
    assert set(rule.every()) == kept
    assert rule.size() == len(kept)


@pytest.mark.parametrize("rule", [Fibonacci(largest=9), OddFibonacci(largest=9)], ids=["lines", "odd"])
def test_all_lines_of_small_numbers_are_counted(rule):
    rng = random.Random(2)
    drawn = {rule.sample(rng) for _ in range(3000)}
    assert set(rule.every()) == drawn and rule.size() == len(drawn) == 100


@pytest.mark.parametrize("name", [name for name in ALL if name not in SMALL])
def test_many_strings_are_not_listed(name):
    assert ALL[name].every() is None


def probability(rule, text):
    """Of drawing a string, from the words of the rule's description alone."""
    if isinstance(rule, Grid):
        p = 1.0
        for place, one in enumerate(text):
            near = [text[other] == "1" for other in rule.conflicts[place]]
            p *= (1.0 if one == "0" else 0.0) if any(near) else 0.5
        return p
    lengths = rule.longest - rule.shortest + 1
    if isinstance(rule, Marked):
        marks = text.count(rule.mark)
        plain = len(rule.alphabet) ** -(len(text) - marks)
        share = rule.share / math.comb(len(text), rule.count) if marks else 1 - rule.share
        return share * plain / lengths
    same_length = sum(
        rule.check("".join(t)) is None for t in itertools.product(rule.alphabet, repeat=len(text))
    )
    return 1 / lengths / same_length


@pytest.mark.parametrize("rule", SMALL.values(), ids=SMALL)
def test_the_least_loss_is_the_entropy_over_the_mean_length(rule):
    kept = [text for text in written(rule) if rule.check(text) is None]
    shares = [probability(rule, text) for text in kept]
    assert math.fsum(shares) == pytest.approx(1)
    entropy = -math.fsum(p * math.log(p) for p in shares)
    tokens = math.fsum(p * (len(text) + 1) for p, text in zip(shares, kept, strict=True))
    floor = rule.floor()
    assert floor.loss == pytest.approx(entropy / tokens, abs=1e-12 if floor.exact else 3e-3)


def test_the_mean_length_of_many_lines_is_estimated(monkeypatch):
    rule = Fibonacci(terms=5, largest=30)
    symbols = statistics.fmean(map(len, rule.every()))
    exact = rule.floor()
    assert exact.exact and exact.loss == pytest.approx(2 * math.log(31) / (symbols + 1))
    monkeypatch.setattr(fibonacci, "_COUNTED", 900)
    about = rule.floor()
    assert not about.exact and about.loss == pytest.approx(exact.loss, rel=3e-3)
    assert not Fibonacci(largest=10**9).floor().exact  # 10**18 pairs


def test_the_floor_of_odd_lines_is_that_of_two_numbers():
    rule = OddFibonacci(largest=30)
    symbols = statistics.fmean(map(len, rule.every()))
    assert rule.floor().exact and rule.floor().loss == pytest.approx(2 * math.log(31) / (symbols + 1))
    many = OddFibonacci(largest=299)  # 90,000 lines are not listed
    symbols = statistics.fmean(len(many.line(a, b)) for a in range(0, 300, 3) for b in range(1, 300, 3))
    assert not many.floor().exact
    assert many.floor().loss == pytest.approx(2 * math.log(300) / (symbols + 1), rel=3e-3)


LINES = {
    "written": Fibonacci(terms=4, largest=29),
    "reversed": Fibonacci(order="reversed", largest=12),
    "padded": Fibonacci(digits=4, largest=29, terms=5),
    "odd": OddFibonacci(largest=29),
}


@pytest.mark.parametrize("rule", LINES.values(), ids=LINES)
def test_lines_are_counted_by_their_lengths(rule):
    lengths = collections.Counter(map(len, rule.every()))
    assert rule.count_lengths() == lengths
    # As many random symbols as a line has, one of eleven each, are one of the lines of that length.
    lines = rule.size()
    assert rule.chance() == pytest.approx(sum(n / lines * n / 11.0**size for size, n in lengths.items()))


def test_chance_is_not_guessed_where_nothing_is_counted():
    assert Fibonacci(largest=10**9).chance() is None
    assert OddFibonacci().chance() is None
    assert Grid().chance() is None and Grid().size() is None


def test_boards_are_counted_along_the_shorter_side():
    # OEIS A006506(8): 8 x 8 without neighbouring ones, and the golden mean shift on a line.
    assert Grid(distances=(1,)).size() == 660_647_962_955
    assert Grid(rows=1, columns=30, distances=(1,)).size() == 2_178_309
    assert (
        Grid(rows=300, columns=3, distances=(1,)).size() == Grid(rows=3, columns=300, distances=(1,)).size()
    )
    assert Grid(rows=3, columns=300, distances=(1,)).size() > 2**300


def test_long_strings_and_large_boards_are_known_soon():
    assert Equal(pairs=("13=22", "0=-1"), longest=3000).chance() == pytest.approx(1 / 4)
    large = Grid(rows=90, columns=100)
    near = [place for place in range(8999) if math.dist(divmod(place, 100), (89, 99)) in (4, 5)]
    assert list(large.conflicts[-1]) == near
    assert 0 < large.floor().loss < math.log(2)


@pytest.mark.parametrize("rule", SMALL.values(), ids=SMALL)
def test_chance_is_what_strings_without_the_rule_have(rule):
    by_length = collections.defaultdict(list)
    for text in written(rule):
        by_length[len(text)].append(rule.check(text) is None)
    shares = [sum(kept) / len(kept) for kept in by_length.values()]
    assert rule.chance() == pytest.approx(sum(shares) / len(shares))
    if not isinstance(rule, Equal):
        return
    assert rule.floor().without == pytest.approx(
        (math.log(len(shares)) + (rule.shortest + rule.longest) / 2 * math.log(len(rule.alphabet)))
        / ((rule.shortest + rule.longest) / 2 + 1)
    )


def test_places_are_counted_from_either_end_and_from_0_or_1():
    text = "0" * 12 + "1" + "0" * 8 + "1" + "0" * 10
    assert Equal(pairs=("13=22",), index_base=1).check(text) is None
    assert Equal(pairs=("12=21",)).check(text) is None
    assert Equal(pairs=("13=22",)).check(text + "1") is None  # two zeros
    assert Equal(pairs=("12=-1",)).check(text + "1") is None
    assert Equal(pairs=("12=-2",)).check(text + "1") == "not equal"
    assert Equal(pairs=("13=-1",), index_base=1).check(text) == "not equal"


@pytest.mark.parametrize(
    ("rule", "text", "reason"),
    [
        (Equal(), "0" * 29, "too short"),
        (Equal(), "0" * 41, "too long"),
        (Equal(), "0" * 30 + "2", "other symbols"),
        (Equal(), "0" * 13 + "1" + "0" * 20, "not equal"),
        (Marked(), "010101010101", "no mark"),
        (Marked(), "01010210102", "too many marks"),
        (Marked(count=2, share=0.5), "0101021010", "too few marks"),
        (Grid(), "0" * 63, "too short"),
        (Grid(), "0" * 65, "too long"),
        (Grid(), "0" * 60 + "0 00", "other symbols"),
        (Grid(), "10001" + "0" * 59, "two ones too near"),
        (Grid(), "1" + "0" * 34 + "1" + "0" * 28, "two ones too near"),  # 4 down and 3 across
        (Fibonacci(), "1,2,3,5,8,13,", "no such line"),
        (Fibonacci(), "1,2,3,5,08,13,21", "no such line"),
        (Fibonacci(), "1,2,3,5,8,13", "other number of terms"),
        (Fibonacci(), "1,1000,1001,2001,3002,5003,8005", "first numbers too large"),
        (Fibonacci(), "872,688,1550,2238,3788,6026,9814", "off by a carry into the tens"),
        (Fibonacci(), "872,688,1460,2148,3608,5756,9364", "off by a carry into the hundreds"),
        (Fibonacci(), "872,688,560,1248,1808,3056,4864", "off by a carry into the thousands"),
        (Fibonacci(), "1,2,4,6,10,16,26", "other wrong digits"),
        (Fibonacci(), "1,2,33,35,68,103,171", "wrong number of digits"),
        (Fibonacci(order="reversed"), "210,9,12,03,15,18,231", "no such line"),
        (OddFibonacci(), "521,142,663,679", "other number of terms"),
        (OddFibonacci(), "05,142,663,679,13", "no such line"),
        (OddFibonacci(), "1521,142,1663,6791,13", "first numbers too large"),
        (OddFibonacci(), "27,881,908,0691,96", "wrong 3rd number"),
        (OddFibonacci(), "248,602,750,3251,4001", "wrong 4th number"),
        (OddFibonacci(), "521,142,663,679,1342", "wrong 5th number"),
    ],
)
def test_a_near_miss_is_told_with_its_reason(rule, text, reason):
    assert rule.check(text) == reason
    assert reason in rule.reasons


def test_the_lines_of_the_lecture():
    for line in ("444,148,592,740,1332,2072,3404", "53,707,760,1467,2227,3694,5921"):
        assert Fibonacci().check(line) is None
    right = Fibonacci().parts("932,751,1635,2406,4192,6407,10063")  # 27k parameters, an hour
    assert list(right) == ["3rd number", "4th number", "5th number", "6th number", "7th number"]
    assert not any(right.values())
    odd = "521,142,663,679,13 248,602,750,32551,33301 855,244,1099,41551, 27,881,907,95591,96"
    for line in (*odd.split(), "738,518,1256,55491,567", "686,854,1540,556552,558092"):
        assert OddFibonacci().check(line) is None, line


def test_parts_are_judged_by_what_stands_before_them():
    # The third is wrong, the others are sums of what is written.
    assert list(Fibonacci().parts("1,2,4,6,10,16,26").values()) == [False, True, True, True, True]
    assert list(Fibonacci().parts("1,2,3,x").values()) == [False] * 5
    assert list(OddFibonacci().parts("27,881,908,0691,1599").values()) == [False, True, True]


def test_a_line_of_other_symbols_is_the_same_line():
    plain, other = Fibonacci(order="reversed"), Fibonacci(order="reversed", symbols="qwertyuiop|")
    table = str.maketrans("0123456789,", "qwertyuiop|")
    for seed in range(50):
        assert other.sample(random.Random(seed)) == plain.sample(random.Random(seed)).translate(table)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Equal(pairs=("18=47",)), ("47", "shortest", "30")),
        (lambda: Equal(pairs=("3=-31",)), ("-31", "31 symbols")),
        (lambda: Equal(pairs=("0=3",), index_base=1), ("place 0", "index_base=1")),
        (lambda: Equal(pairs=("4=4",)), ("4=4", "always equals itself")),
        (lambda: Equal(pairs=("-3=-3",)), ("-3=-3", "always equals itself")),
        (lambda: Equal(pairs=("a=b",)), ("a=b", "13=22")),
        (lambda: Equal(pairs=()), ("pairs is empty",)),
        (lambda: Equal(alphabet="0"), ("alphabet='0'", "two symbols")),
        (lambda: Equal(alphabet="010"), ("alphabet='010'", "each once")),
        (lambda: Equal(shortest=9, longest=8), ("shortest=9", "longest=8")),
        (lambda: Marked(count=11), ("count=11", "10")),
        (lambda: Marked(mark="1"), ("mark='1'",)),
        (lambda: Marked(share=0), ("share=0",)),
        (lambda: Grid(rows=0), ("rows=0",)),
        (lambda: Grid(distances=(100,)), ("distances=(100,)", "smaller")),
        (lambda: Grid(share=1.0), ("share=1.0",)),
        (lambda: Fibonacci(terms=2), ("terms=2",)),
        (lambda: Fibonacci(digits=3), ("digits=3", "has 5")),
        (lambda: Fibonacci(symbols="01234567899"), ("eleven different",)),
        (lambda: Fibonacci(digits=30), ("digits=30", "5 to 18")),
        (lambda: Fibonacci(terms=10**12), ("terms=1000000000000", "largest=999", "18 digits")),
        (lambda: Fibonacci(largest=10**17), ("terms=7", "18 digits")),
        (lambda: OddFibonacci(largest=0), ("largest=0",)),
        (lambda: OddFibonacci(largest=10**18), ("largest=1000000000000000000", "18 digits")),
        (
            lambda: Strings(extra_lengths=(50,)),
            ("extra_lengths", "asks no questions", '--task.extra-lengths ""'),
        ),
        (lambda: Strings(rule=Parity(), extra_lengths=(50, 0)), ("extra_lengths=(50, 0)", "shortest=0")),
        (lambda: Strings(rule=Doubled(), extra_lengths=(6, 4)), ("length 4", "trained on", "longest=4")),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError) as error:
        make()
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message


def first(task, split, count, seed=0):
    return list(itertools.islice(task.examples(split, seed), count))


def test_no_training_string_is_held_out():
    task = Strings(rule=Equal(pairs=("0=5",), shortest=8, longest=8))
    train = [example.target for example in first(task, "train", 120)]
    test = {example.target for example in first(task, "test", 300)}
    assert test and not test & set(train)
    assert all(example.prompt == "" for example in first(task, "test", 5))
    assert first(task, "train", 20) == first(task, "train", 20) != first(task, "train", 20, seed=1)


@dataclasses.dataclass(frozen=True)
class Doubled(Rule):
    """A word and itself, of which the first half is the question."""

    shortest: int = 1
    longest: int = 4

    reasons = ("not doubled",)
    asks = True

    def sample(self, rng):
        return 2 * "".join(rng.choices("ab", k=rng.randint(self.shortest, self.longest)))

    def check(self, text):
        half = len(text) // 2
        return None if text[:half] == text[half:] else "not doubled"

    def given(self, text):
        return len(text) // 2

    def explanation(self):
        return "a word twice"


@dataclasses.dataclass(frozen=True)
class Alike(Rule):
    """Two equal symbols; it knows no size, and lists its strings or does not."""

    listed: bool = True

    reasons = ("not alike",)

    def sample(self, rng):
        return 2 * rng.choice("abc")

    def check(self, text):
        return None if text in ("aa", "bb", "cc") else "not alike"

    def explanation(self):
        return "two equal symbols"

    def every(self):
        return ("aa", "bb", "cc", "bb") if self.listed else None


#: Rules with few strings, and how many.
FEW = {
    "counted": (Equal(pairs=("0=2",), shortest=4, longest=4), 8),
    "a board": (Grid(rows=1, columns=4, distances=(1,)), 8),
    "listed": (Alike(), 3),
    "drawn": (Alike(listed=False), 3),
    "questions drawn": (SolveEquation(shortest=3, longest=3), 5),
}


@pytest.mark.parametrize("rule, size", FEW.values(), ids=FEW)
def test_more_strings_than_there_are_end_in_one_line(rule, size):
    task = Strings(rule=rule)
    task.check_training(size)
    few = {"training.train_examples": 2**31 - 1, "training.test_examples": 0}
    experiment = replaced(dataclasses.replace(experiments.find("equal-places"), task=task), few)
    for refused in (lambda: task.check_training(size + 1), lambda: prepare(experiment)):
        with pytest.raises(ValueError) as error:
            refused()
        message = str(error.value)
        assert "\n" not in message and f"the rule has {size} strings" in message
        assert "training.train_examples" in message and f"set that to {size} or less" in message
        assert ("10,000 drawn one after the other gave no other" in message) == (task._size is None)


@pytest.mark.parametrize("name", [name for name in FEW if "drawn" not in name])
def test_training_strings_end_where_there_are_no_more_and_their_number_is_told(name):
    rule, size = FEW[name]
    task = Strings(rule=rule)
    assert len(first(task, "train", 100_000)) == size
    assert f"strings     {size} keep the rule" in task.notes()


@dataclasses.dataclass(frozen=True)
class Unlike(Alike):
    """Its check wants other strings than it draws."""

    def check(self, text):
        return "not alike" if text == "bb" else None


@dataclasses.dataclass(frozen=True)
class Impossible(Alike):
    """No string can keep it, and to draw one says so."""

    def sample(self, rng):
        raise ValueError("no string of 2 symbols has 3 that are equal; ask for fewer")


@dataclasses.dataclass(frozen=True)
class LongUnlike(Doubled):
    """Its longer questions are not of the rule."""

    def check(self, text):
        return super().check(text) if len(text) < 20 else "not doubled"


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (lambda: Strings(rule=Unlike(listed=False)), ("Unlike", "sample() gives 'bb'", "refuses: not alike")),
        (lambda: Strings(rule=Impossible(listed=False)), ("no string of 2 symbols", "ask for fewer")),
        (lambda: Strings(rule=LongUnlike(), extra_lengths=(6, 12)), ("LongUnlike", "refuses: not doubled")),
    ],
)
def test_a_rule_that_does_not_keep_itself_is_refused_before_training(task, words):
    few = {"training.train_examples": 2, "training.test_examples": 0}
    experiment = replaced(dataclasses.replace(experiments.find("equal-places"), task=task()), few)
    with pytest.raises(ValueError) as error:
        prepare(experiment)
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message


@pytest.mark.parametrize("rule", [Grid(), Recall(), SolveEquation(), Fibonacci(largest=10**9)])
def test_of_many_strings_as_many_as_one_likes_may_be_asked(rule):
    Strings(rule=rule).check_training(100_000)


def test_few_strings_of_which_none_is_of_test_are_told_before_training():
    task = Strings(rule=Equal(pairs=("0=2",), shortest=4, longest=4))
    assert {task.split_of(Example("", text)) for text in task.rule.every()} == {"train", "validation"}
    few = {"training.train_examples": 4, "training.test_examples": 3}
    experiment = replaced(dataclasses.replace(experiments.find("equal-places"), task=task), few)
    with pytest.raises(ValueError, match=r"held_out=0.1 leaves no test examples"):
        prepare(experiment)
    prepare(replaced(experiment, {"training.test_examples": 0}))


def test_success_is_counted_of_all_and_of_new_strings():
    task = Strings(rule=Equal(pairs=("0=3",), shortest=4, longest=5))
    train = [Example("", "0000"), Example("", "1011")]
    texts = ["0000", "0010", "0010", "0011", "1", "1011"]
    asked = Example("", "0110")
    assert [task.score(asked, text)["exact_match"] for text in texts] == [1, 1, 1, 0, 0, 1]
    assert [task.diagnose(asked, text).wrong for text in texts] == ["", "", "", "not equal", "too short", ""]
    found = task.summary([(asked, text) for text in texts], train)
    assert found["new strings"] == (4 / 6, 6, 1)
    assert found["rule kept, of new strings"] == (2 / 4, 4, 1)
    assert found["repeated"] == (1 / 6, 6, 1)
    none_new = task.summary([(asked, "0000")], train)
    assert none_new["rule kept, of new strings"].n == 0  # no value, which the table says


def test_the_table_says_why_no_new_string_keeps_the_rule():
    task = Strings(rule=Equal(pairs=("0=3",), shortest=4, longest=4))
    train = [Example("", text) for text in task.rule.every()]
    tables = {}
    for written in ("0110", "0111"):
        summary = tally.combine([task.summary([(Example("", "0000"), written)], train)])
        evaluation = Evaluation("test", 1, None, summary=summary, no_value=tally.why_no_value(task, summary))
        tables[written] = next(
            line for line in evaluation.table().splitlines() if line.startswith("rule kept, of new strings")
        )
    assert tables["0110"].endswith("  no value: every written string is in the training set")
    assert "0.0000" in tables["0111"] and "no value" not in tables["0111"]


def test_extra_lengths_are_emptied_as_the_message_says():
    fields = {"task.rule": "parity", "task.extra-lengths": ""}
    task = override(experiments.find("string-questions"), fields).task
    assert task.extra_lengths == () and not list(task.extra_questions("test"))


def test_a_rule_is_found_by_name_and_kept_in_a_file():
    experiment = experiments.find("equal-places")
    changed = override(experiment, {"task.rule": "marked", "task.rule.count": "3"})
    assert changed.task.rule == Marked(count=3)
    pairs = override(experiment, {"task.rule.pairs": "3=7,4=-9"})
    assert pairs.task.rule.pairs == ("3=7", "4=-9")
    assert from_json(Experiment, to_json(changed)) == changed
    with pytest.raises(FieldError, match="did you mean equal"):
        override(experiment, {"task.rule": "equals"})
    assert {"equal", "marked", "grid", "fibonacci", "odd_fibonacci"} <= set(Rule.names())


def test_the_notes_tell_the_rule_its_chance_and_the_least_loss():
    notes = Strings(rule=Equal(pairs=("13=22",), index_base=1)).notes()
    assert "13=22" in notes and "50 %" in notes and "0.7212" in notes and "0.7405" in notes
    assert "about 0.28" in Strings(rule=Grid()).notes()
    assert "454,656" in Strings(rule=Marked()).notes()
    assert "exactly 1 of the symbols is 2" in Strings(rule=Marked()).notes()
    asked = Strings(rule=Parity()).notes()
    assert "50 % of random answers" in asked and "keep it" not in asked


def test_chance_and_the_least_loss_stand_beside_the_figures():
    found = Strings(rule=Equal(pairs=("13=22",), index_base=1)).yardsticks()
    assert found == pytest.approx(
        {"exact match by chance": 0.5, "least loss": 0.7212, "least loss without the rule": 0.7405}, abs=1e-4
    )
    assert list(Strings(rule=Grid()).yardsticks()) == ["least loss, estimated"]
    assert Strings(rule=Parity()).yardsticks() == {"exact match by chance": 0.5, "least loss": 0.0}
    assert Strings(rule=Doubled()).yardsticks() == {}


def test_relabelled_lines_have_the_same_ids():
    plain, other = (experiments.find(name).task.rule for name in ("fibonacci", "fibonacci-relabelled"))
    lines = [[rule.sample(random.Random(seed)) for seed in range(50)] for rule in (plain, other)]
    assert not set("".join(lines[0])) & set("".join(lines[1]))
    ids = [build("characters", lambda texts=texts: texts).encode_batch(texts) for texts in lines]
    assert ids[0] == ids[1]


def test_a_rule_that_asks_gives_a_question_and_longer_ones():
    task = Strings(rule=Doubled(), extra_lengths=(6, 9))
    examples = first(task, "train", 10)
    assert all(e.prompt == e.target and 1 <= len(e.prompt) <= 4 for e in examples)
    assert task.temperature == 0 and Strings().temperature == 1
    extra = list(itertools.islice(task.extra_questions("test"), 4))
    assert [(len(e.prompt), e.group) for e in extra] == 2 * [(6, "length 6"), (9, "length 9")]
    assert task.score(Example("ab", "ab"), "ab") == {"exact_match": 1.0}
    assert task.score(Example("ab", "ab"), "aba") == {"exact_match": 0.0}
    assert task.diagnose(extra[0], "x").wrong == "not doubled"
    assert task.summary([], []) == {}


@pytest.mark.parametrize("rule", [rule for rule in ALL.values()], ids=ALL)
def test_strings_whose_attention_is_averaged_keep_the_rule_and_have_one_length(rule):
    found = Strings(rule=rule).attended()
    assert len(found.texts) == 256 and {rule.check(text) for text in found.texts} == {None}
    assert {len(text) for text in found.texts} == {found.length}
    lengths = sorted(len(rule.sample(random.Random(seed))) for seed in range(400))
    assert lengths[40] <= found.length <= lengths[-40]
    assert found.first == getattr(rule, "index_base", 0)
    assert found.board == ((rule.rows, rule.columns) if isinstance(rule, Grid) else None)
    assert Strings(rule=rule).attended() == found != Strings(rule=rule).attended(seed=1)


def test_marks_are_at_the_same_places_in_strings_to_look_at():
    for rule in (Marked(), Marked(count=2, share=0.5, shortest=30, longest=40), Marked(count=3, shortest=3)):
        texts = Strings(rule=rule).attended().texts
        assert {rule.check(text) for text in texts} == {None}
        places = {tuple(i for i, symbol in enumerate(text) if symbol == "2") for text in texts}
        assert len(places) == 1 and len(next(iter(places))) == rule.count


def test_a_rule_that_asks_has_no_strings_whose_attention_is_averaged():
    assert Strings(rule=Doubled()).attended() is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"texts": ("01", "011")}, "[2, 3]"),
        ({"texts": ()}, "one length"),
        ({"texts": ("010101",), "board": (2, 2)}, "6 cells"),
    ],
)
def test_texts_of_several_lengths_are_refused(values, words):
    with pytest.raises(ValueError) as error:
        Attended(**values)
    assert words in str(error.value)
