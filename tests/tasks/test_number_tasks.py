"""The tasks on numbers: answers against Python's own arithmetic, splits, scores, notation."""

import itertools
import math
import operator
import random
from fractions import Fraction

import numpy as np
import pytest

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.runs import experiments
from jaxgpt.task import SPLITS, Task
from jaxgpt.tokenizers import build
from jaxgpt.training.experiment import Experiment
from tasks import fractions
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.fractions import Fractions
from tasks.gcd import Gcd
from tasks.matrices import Matrices, _determinant
from tasks.modular import Modular
from tasks.sorting import Sorting

MATRIX_OPERATIONS = ("addition", "product", "transpose", "trace", "determinant")
TASKS = [
    *(
        Modular(operation=name, modulus=23)
        for name in ("addition", "subtraction", "multiplication", "division")
    ),
    Modular(mirrored="together", modulus=23),
    Gcd(),
    Gcd(operands="uniform", outcomes="natural"),
    BaseConversion(),
    BaseConversion(from_base=16, to_base=7, min_digits=2, max_digits=9),
    Comparison(),
    Comparison(numbers="decimals", max_count=4),
    Comparison(numbers="integers", max_digits=2),
    Sorting(),
    *(Fractions(operation=name, max_term=30) for name in ("simplification", "sum", "product")),
    *(Matrices(operation=name, entries=kind) for name in MATRIX_OPERATIONS for kind in ("integers", "reals")),
]
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda t: type(t).__name__)


def first(task, split, count, seed=0):
    return list(itertools.islice(task.examples(split, seed), count))


def calculated(task, prompt):
    """What Python makes of a prompt, by other means than the tasks."""
    asked = prompt.removesuffix("=")
    if isinstance(task, Modular):
        p = task.modulus
        symbol = {"addition": "+", "subtraction": "-", "multiplication": "*", "division": "/"}[task.operation]
        a, b = map(int, asked.split(symbol))
        if symbol == "/":
            return str(next(c for c in range(p) if c * b % p == a))
        return str({"+": a + b, "-": a - b, "*": a * b}[symbol] % p)
    if isinstance(task, Gcd):
        return str(math.gcd(*map(int, asked.split(","))))
    if isinstance(task, BaseConversion):
        return np.base_repr(int(asked, task.from_base), task.to_base).lower()
    if isinstance(task, Comparison):
        return max(asked.split("?"), key=Fraction)
    if isinstance(task, Sorting):
        return ",".join(map(str, np.sort(np.array(asked.split(","), int))))
    values = [tuple(map(int, r.split("/"))) for r in asked.replace("*", "+").split("+")]
    (a, b), (c, d) = values[0], values[-1]
    over, under = {"simplification": (a, b), "sum": (a * d + c * b, b * d), "product": (a * c, b * d)}[
        task.operation
    ]
    common = math.gcd(over, under)
    return f"{over // common}/{under // common}" if under != common else str(over // common)


@pytest.mark.parametrize(
    "task",  # numpy computes matrices below
    [task for task in TASKS if not isinstance(task, Matrices)],
    ids=lambda t: type(t).__name__,
)
def test_targets_state_what_python_computes(task):
    for split in SPLITS:
        for example in first(task, split, 50):
            assert example.target == calculated(task, example.prompt), example


def array(text):
    shape, *entries = text.split()
    return np.array(entries, np.float64).reshape(*map(int, shape.split("x")))


@pytest.mark.parametrize("entries", ["integers", "reals"])
@pytest.mark.parametrize("operation", MATRIX_OPERATIONS)
def test_matrices_are_what_numpy_computes(operation, entries):
    functions = {
        "addition": np.add,
        "product": np.matmul,
        "transpose": np.transpose,
        "trace": np.trace,
        "determinant": np.linalg.det,
    }
    task = Matrices(operation=operation, entries=entries, min_size=1, max_size=4)
    shapes = set()
    for example in first(task, "train", 700 if operation == "product" else 200):
        parts = example.prompt.removesuffix(" =").replace(" * ", " + ").split(" + ")
        result = np.asarray(functions[operation](*map(array, parts)))
        target = array(example.target) if "x" in example.target else np.array(float(example.target))
        assert target.shape == result.shape
        # Integers are exact; three digits are off by at most half of the third.
        off = 1e-9 + (0 if entries == "integers" else 0.0051) * np.abs(result)
        assert (np.abs(target - result) <= off).all(), example
        shapes.add(example.group)
    assert len(shapes) == {"product": 64, "trace": 4, "determinant": 4}.get(operation, 16)


@every_task
def test_own_targets_are_accepted_and_near_misses_are_not(task):
    for example in first(task, "train", 40):
        assert task.score(example, example.target)["exact_match"] == 1
        target = example.target
        changed = target[:-1] + chr((ord(target[-1]) - ord("0") + 1) % 10 + ord("0"))
        near = {
            changed,
            "0" + target,
            target + "=",
            " " + target,
            target + " ",
            "+" + target,
            "",
            "-",
            target[:-1],
        }
        for completion in near - {target}:
            assert task.score(example, completion)["exact_match"] == 0, completion


@every_task
def test_splits_are_disjoint_and_deterministic(task):
    keys = {split: {example.canonical for example in first(task, split, 40)} for split in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not keys[one] & keys[other]
    questions = list(itertools.islice(task.questions("test"), 40))
    assert {task.split_of(example) for example in questions} == {"test"}
    assert questions == list(itertools.islice(task.questions("test"), 40))
    assert first(task, "train", 50) == first(task, "train", 50) != first(task, "train", 50, seed=1)


@every_task
def test_a_prompt_is_read_as_it_is_written_and_as_people_type(task):
    for example in first(task, "train", 20):
        assert task.prompt(example.prompt) == example.prompt
        assert task.prompt(f"  {example.prompt.removesuffix('=')}  ") == example.prompt
    for text in task.sample_prompts:
        assert task.prompt(text)
    for text in ("", "what?", "1;2", "=", "3/4/5+"):
        with pytest.raises(ValueError, match="write one such as") as error:
            task.prompt(text)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("task", [BaseConversion(), Sorting(), Comparison(), Fractions(), Matrices()])
def test_every_group_is_asked_for(task):
    trained = {example.group for example in first(task, "train", 1000)}
    asked = {example.group for example in itertools.islice(task.questions("test"), 1000)}
    assert len(trained) > 2 and asked == trained


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda: Modular(modulus=1), "modulus=1"),
        (lambda: Modular(operation="division", modulus=91), "modulus=91 is divisible by 7"),
        (lambda: Modular(held_out=0.5), "held_out=0.5"),
        (lambda: Gcd(max_operand=9999), "max_operand=9999 .*max_outcome=100"),
        (lambda: Gcd(max_outcome=0), "max_outcome=0"),
        (lambda: BaseConversion(to_base=37), "to_base=37"),
        (lambda: BaseConversion(min_digits=5), "min_digits=5"),
        (lambda: Comparison(min_count=1), "min_count=1"),
        (lambda: Comparison(max_count=20, max_digits=1), "max_count=20 .*max_digits=1; raise max_digits"),
        (lambda: Comparison(numbers="integers", max_count=11, max_digits=1), "max_count=11 .*max_digits=1"),
        (lambda: Comparison(numbers="decimals", max_count=11, max_places=1), "max_count=11 .*max_places=1"),
        (lambda: Sorting(max_digits=0), "max_digits=0"),
        (lambda: Fractions(max_term=3), "max_term=3"),
        (lambda: Matrices(max_entry=0), "max_entry=0"),
        (lambda: Matrices(min_size=4), "min_size=4"),
    ],
)
def test_settings_that_do_not_fit_are_refused(task, message):
    with pytest.raises(ValueError, match=message) as error:
        task()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "modular_addition",
        "gcd",
        "gcd_small",
        "base_conversion",
        "comparison",
        "sorting",
        "fraction_simplification",
        "fraction_sum",
        "matrix_addition",
        "determinant",
    ],
)
def test_experiments_are_found_and_survive_json(name):
    experiment = experiments.find(name)
    assert from_json(Experiment, to_json(experiment)) == experiment
    assert Task.named(type(experiment.task).kind()) is type(experiment.task)


def test_comparison_is_grouped_by_what_misleads():
    task = Comparison()
    groups = {
        "9.9?9.11=": "decimals, version order misleads",
        "9.9?9.1=": "decimals, version order agrees",
        "9?11=": "integers, text order misleads",
        "7?11=": "integers, text order misleads",
        "11?2=": "integers, text order misleads",
        "11?10=": "integers, text order agrees",
    }
    for prompt, group in groups.items():
        example = task._example(prompt.removesuffix("=").split("?"))
        assert (example.prompt, example.group) == (prompt, group)
    with pytest.raises(ValueError, match="equal numbers"):
        task.prompt("7.3?7.30")
    places = [example for example in first(task, "train", 400) if "." in example.prompt]
    wholes = [{number.split(".")[0] for number in e.prompt[:-1].split("?")} for e in places]
    assert 0.4 < sum(len(w) == 1 for w in wholes) / len(places) < 0.65


def test_decimals_without_trailing_zeros_have_one_notation_a_value():
    """Every allowed place is drawn, and a tokenizer of values gives each number back as it was written."""
    task = Comparison(numbers="decimals", max_digits=1, max_places=2, trailing_zeros=False)
    texts = {text for example in first(task, "train", 12_000) for text in example.prompt[:-1].split("?")}
    places = [f"{n}" for n in range(1, 10)] + [f"{n:02}" for n in range(100) if n % 10]
    assert texts == {f"{whole}.{rest}" for whole in range(10) for rest in places}
    tokenizer = build("fone:1:2", lambda: ["9.11?9.9=9.9"])
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    with pytest.raises(ValueError, match="max_count=10 different numbers"):
        Comparison(max_count=10, max_digits=1, max_places=1, trailing_zeros=False)


@pytest.mark.parametrize(
    "task",
    [
        Comparison(numbers="integers", min_count=11, max_count=11, max_digits=3, max_places=1),
        Comparison(numbers="decimals", min_count=11, max_count=11, max_digits=1, max_places=3),
    ],
    ids=lambda task: task.numbers,
)
def test_as_many_numbers_are_compared_as_their_own_digits_allow(task):
    for example in first(task, "train", 20):
        assert len(set(map(Fraction, example.prompt.removesuffix("=").split("?")))) == 11


def test_a_comparison_says_where_the_two_largest_differ():
    task = Comparison(max_count=3)
    decided = {
        "9.9?9.11=": "decimal place 1",
        "7.3?7.25=": "decimal place 1",
        "7.305?7.3=": "decimal place 3",
        "10.5?9.75=": "length of the whole part",
        "31.5?32.1=": "digits of the whole part",
        "100?99=": "length of the whole part",
        "18?5?17=": "digits of the whole part",
    }
    for prompt, where in decided.items():
        example = task._example(prompt.removesuffix("=").split("?"))
        assert task.diagnose(example, example.target).facets == {"decided by": where}
    example = task._example(["9.9", "9.11", "3.4"])
    kinds = {
        "9.9": "",
        "9.11": "a smaller one of the numbers",
        "9.90": "none of the numbers",
        "": "none of the numbers",
    }
    assert {answer: task.diagnose(example, answer).wrong for answer in kinds} == kinds
    for example in first(task, "train", 200):
        found = task.diagnose(example, example.target)
        assert (found.wrong, found.places) == ("", {}) and set(task.wrong_kinds) >= {
            task.diagnose(example, text).wrong for text in ("x", min(example.key.split("?"), key=float))
        }


def test_sorting_says_what_is_wrong():
    example = Sorting()._example([31, 4, 15, 4])
    assert example.target == "4,4,15,31"
    scores = {
        "4,4,15,31": (1, 1, 1),
        "4,15,4,31": (0, 1, 0),
        "4,15,31": (0, 0, 1),
        "4,4,15,31,": (0, 0, 0),
        "04,4,15,31": (0, 0, 0),
    }
    for completion, (exact, same, ascending) in scores.items():
        assert Sorting().score(example, completion) == {
            "exact_match": exact,
            "same_numbers": same,
            "ascending": ascending,
        }


def test_fractions_are_grouped_by_what_has_to_be_done():
    def group(task, text):
        ratios = [fractions._Ratio(*map(int, r.split("/"))) for r in text.replace("*", "+").split("+")]
        return task._example(ratios).group

    assert group(Fractions(), "1/6+5/6") == "equal denominators"
    assert group(Fractions(), "1/3+5/6") == "one denominator divides the other"
    assert group(Fractions(), "1/4+5/6") == "denominators share a factor"
    assert group(Fractions(), "1/4+5/7") == "denominators without a common factor"
    assert group(Fractions(operation="product"), "3/4*5/7") == "nothing cancels"
    assert group(Fractions(operation="product"), "3/4*4/9") == "cancels 10 or more"
    assert group(Fractions(operation="simplification"), "42/56") == "cancels 10 or more"
    assert group(Fractions(operation="simplification"), "4/6") == "cancels 2-9"


def by_expansion(matrix):
    """A determinant by its definition: along the first row (Laplace)."""
    if not matrix:
        return 1
    minors = ([row[:j] + row[j + 1 :] for row in matrix[1:]] for j in range(len(matrix)))
    return sum((-1) ** j * matrix[0][j] * by_expansion(minor) for j, minor in enumerate(minors))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("under", [1, 100])
def test_determinants_are_those_of_the_definition(size, under):
    rng, found = random.Random(size), set()
    for index in range(60):
        # Few different entries: many places that are divided by hold a 0.
        entries = (Fraction(rng.randint(-2, 2), rng.choice((1, under))) for _ in range(size**2))
        matrix = [list(itertools.islice(entries, size)) for _ in range(size)]
        if index % 3 == 0:  # singular, but for a single entry
            matrix[-1] = [2 * entry for entry in matrix[0]]
        assert _determinant(matrix) == by_expansion(matrix)
        found.add(by_expansion(matrix) == 0)
    assert found == {True, False}


def test_a_determinant_of_twelve_rows_is_that_of_its_factors():
    rng, size = random.Random(0), 12
    lower, upper = ([[rng.randint(-9, 9) for _ in range(size)] for _ in range(size)] for _ in range(2))
    for i, j in itertools.product(range(size), repeat=2):
        lower[i][j] = lower[i][j] if j < i else int(i == j)
        upper[i][j] = upper[i][j] if j > i else (i + 1) * (i == j)
    columns = list(zip(*upper, strict=True))
    matrix = [[sum(map(operator.mul, row, column)) for column in columns] for row in lower]
    task = Matrices(operation="determinant", max_size=size)
    # The diagonal of `upper` is 1 to 12; every exchange of two rows turns the sign.
    assert task._example([matrix]).target == str(math.factorial(size))
    assert task._example([matrix[1::-1] + matrix[2:]]).target == str(-math.factorial(size))
    assert task._example([[matrix[0], *matrix[:-1]]]).target == "0"


def test_an_approximate_matrix_is_measured_as_the_paper_does():
    task = Matrices(operation="transpose", max_size=2)
    example = task._example([[[100, 1], [0, -100]]])
    assert example.target == "2x2 100 0 1 -100"
    scores = {
        # 201 is the sum of the absolute entries, 5 % of it 10.05.
        "2x2 105 0 1 -105": (0, 1, 1.0),
        "2x2 105 0 1 -106": (0, 0, 0.75),
        "2x2 100 0 2 -100": (0, 1, 0.75),
        "2x2 100 1 1 -100": (0, 1, 0.75),
        "1x4 100 0 1 -100": (0, 0, 0.0),
        "2x2 100 0 1": (0, 0, 0.0),
        "100": (0, 0, 0.0),
    }
    for completion, expected in scores.items():
        assert tuple(task.score(example, completion).values()) == expected, completion


def test_matrices_that_do_not_fit_are_refused():
    for operation, text in {
        "addition": "1x2 3 -1 + 2x1 4 0",
        "product": "1x2 3 -1 * 1x2 4 0",
        "determinant": "1x2 3 -1",
        "trace": "2x2 1 2 3",
    }.items():
        with pytest.raises(ValueError, match="write one such as"):
            Matrices(operation=operation).prompt(text)
