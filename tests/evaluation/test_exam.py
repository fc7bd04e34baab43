"""Others' questions: templates, measures, and what a run is asked and is told of."""

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_runs import copied

from jaxgpt.evaluation.exam import Asked, Examined, Result, examine, is_right, read_exam, read_published
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.evaluation.number_measures import log_smape, read_number
from jaxgpt.evaluation.scoring_options import TrainedOn
from jaxgpt.evaluation.wording_template import Template, reworded
from jaxgpt.task import Example
from tasks.arithmetic import Arithmetic

SUMS = Arithmetic(max_digits=5)


def written(path, *lines):
    path.write_text("".join(line + "\n" for line in lines))
    return str(path)


def test_a_template_turns_their_wording_into_ours():
    template = Template.read(r"Q: What is {a} plus {b}?\n\nA: => {a}+{b}")
    assert template.typed("Q: What is 4 plus 35?\n\nA:") == "4+35"
    assert template.typed("Q: What is 4 minus 35?\n\nA:") is None
    assert template.typed("So: Q: What is 4 plus 35?\n\nA:") is None
    assert Template.read("{x} (twice) => {x}+{x}").typed("7 (twice)") == "7+7"
    assert Template.read("{1} and {2} => {2}+{1}").typed("7 and 8") == "8+7"  # whatever the names are


def test_the_first_template_that_fits_is_taken():
    templates = [Template.read("{a} times {b} => {a}*{b}"), Template.read("{a} {what} {b} => {a}+{b}")]
    assert reworded("3 times 4", templates) == "3*4"
    assert reworded("3 and 4", templates) == "3+4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a}+{b}", "write THEIRS => OURS"),
        ("four => 4", "no name in braces before =>"),
        ("{a} plus {b} => {a}+{c}", r"\{c\} stands behind => alone; before it: a, b"),
        ("{a} plus {a} => {a}", "stands twice"),
    ],
)
def test_templates_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        Template.read(text)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_log_smape_is_its_definition(answer, found):
    """In exact arithmetic, up to the last digits of the logarithm."""
    a, p, tiny = Fraction(answer), Fraction(found), Fraction(1, 10**100)
    ratio = abs(p - a) / (abs(a) + abs(p) + tiny) + tiny
    expected = min(1.0, (math.log10(ratio.numerator) - math.log10(ratio.denominator)) / -15)
    assert log_smape(answer, found) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert 0 <= log_smape(answer, found) <= 1


def test_log_smape_counts_digits():
    assert log_smape(2.0, 2.0) == 1 and log_smape(0.0, 0.0) == 1
    assert log_smape(2.0, None) == 0 and log_smape(2.0, -2.0) == pytest.approx(0)
    assert log_smape(2e5, 2e5 + 2e-2) == pytest.approx(0.5, abs=0.03)  # 7 of 15 digits


@pytest.mark.parametrize(
    ("answer", "given_", "right"),
    [
        ("143", "143", True),
        ("143", " 143 ", True),
        ("1430", "1,430", True),
        ("-0.0010", "-.001", True),
        ("−5", "-5", True),
        ("0.1", "0.10000000000000000001", False),
        ("12345678901234567890", "12345678901234567891", False),
        ("yes", "yes", True),
        ("yes", "no", False),
        ("143", "", False),
        ("143", "e5", False),
        ("e5", "E5", False),
    ],
)
def test_an_answer_is_the_same_text_or_the_same_number(answer, given_, right):
    assert is_right(answer, given_) is right


def test_a_number_too_large_for_a_float_is_none_to_measure():
    assert read_number("1e999") is None and is_right("1e999", "10e998")
    assert is_right("9" * 1001, "0" + "9" * 1001) and not is_right("9" * 1001, "9" * 1000 + "8")


def test_questions_are_read_as_the_task_words_them(tmp_path):
    path = written(tmp_path / "sums.tsv", r"What is 12 plus 34?\n" + "\t46", "What is 5 plus 6?\\n\t11")
    asked = read_exam(path, SUMS, [Template.read(r"What is {a} plus {b}?\n => {a}+{b}")])
    assert [one.answer for one in asked] == ["46", "11"]
    assert [one.example for one in asked] == [SUMS.typed("12+34"), SUMS.typed("5+6")]
    objects = tmp_path / "sums.jsonl"
    objects.write_text('{"question": "12+34", "answer": 46}\n{"question": "5+6", "answer": "11"}\n')
    assert [one.example for one in read_exam(str(objects), SUMS)] == [one.example for one in asked]


@pytest.mark.parametrize(
    ("lines", "template", "message"),
    [
        (["1+2\t3", "3+4"], "", r"line 2: '3\+4' has no answer"),
        (["1+2\t3", "3+4\t "], "", "line 2: .* has no answer"),
        (["1+2\t3", "1-2\t-1"], "", r"line 2: cannot read '1-2' as a question.*--template"),
        (["1 and 2\t3", "1 or 2\t3"], "{a} and {b} => {a}+{b}", "line 2: '1 or 2' does not fit the template"),
        (["1 and x\t3"], "{a} and {b} => {a}+{b}", r"line 1: cannot read '1\+x'"),
        ([""], "", "no line|empty"),
    ],
)
def test_a_line_that_does_not_fit_is_named(lines, template, message, tmp_path):
    path = written(tmp_path / "sums.tsv", *lines)
    with pytest.raises(ValueError, match=f"sums.tsv.*{message}"):
        read_exam(path, SUMS, [Template.read(template)] if template else [])


@pytest.mark.parametrize("answer", ["", " "])
def test_an_empty_answer_of_an_object_is_named(answer, tmp_path):
    path = tmp_path / "sums.jsonl"
    path.write_text(f'{{"question": "1+2", "answer": "3"}}\n{{"question": "3+4", "answer": "{answer}"}}\n')
    with pytest.raises(ValueError, match=r"sums.jsonl.*line 2.*'answer' is empty; write the answer"):
        read_exam(str(path), SUMS)


def test_published_answers_are_as_many_as_questions(tmp_path):
    path = written(tmp_path / "theirs.txt", "3", "", "11")
    assert read_published(path, 3) == ["3", "", "11"]
    with pytest.raises(ValueError, match=r"theirs.txt holds 3 of 4 answers"):
        read_published(path, 4)


def test_a_run_is_asked_beside_others(finished_run, jaxgpt, tmp_path):
    """Also what stands twice is asked twice; what it has no room for counts as wrong."""
    path = written(
        tmp_path / "sums.tsv", "1 and 2\t3", "1 and 2\t3", "3 and 4\t7", "11111111 and 2\t11111113"
    )
    theirs = written(tmp_path / "theirs.txt", "3", "no idea", "8", "11111113")
    output = tmp_path / "found.json"
    words = ("--questions", path, "--template", "{a} and {b} => {a}+{b}", "--beside", f"Kim={theirs}")
    status, printed, errors = jaxgpt("evaluate", finished_run, *words, "--output", output)
    assert status == 0, errors
    found = json.loads(output.read_text())
    run, kim = found["results"]
    assert (run["name"], kim["name"], found["questions"]) == ("this run", "Kim", 4)
    assert kim["exact_match"]["mean"] == 0.5
    assert kim["log_smape"]["mean"] == pytest.approx((1 + 0 + log_smape(7, 8) + 1) / 4)
    given_ = [row["answered"][0] for row in found["answered"]]
    assert given_[0] == given_[1]
    right = sum(is_right(row["answer"], text) for row, text in zip(found["answered"], given_, strict=True))
    assert run["exact_match"]["mean"] == right / 4
    assert "Kim" in printed and "log sMAPE" in printed


def test_every_answer_stands_at_its_question(task, tokenizer, build, oracle, monkeypatch):
    """The models write the double, which the task shows as three times the number; the first has no room."""
    monkeypatch.setattr(type(task), "answer", lambda self, p, text: str(int(p[:-1]) + int(text)))
    right = oracle.answer
    oracle.answer = lambda seed, prompt: "81" if (seed, prompt) == (1, "40=") else right(seed, prompt)
    numbers = (10**6, 7, 40, 8, 123)
    questions = [
        Asked(f"thrice {n}", str(3 * n), Example(f"{n}=", "", f"{len(str(n))} digits")) for n in numbers
    ]
    # bos, 7 digits, = and the 7 digits of the answer are 16 tokens.
    models = [build(seed, max_length=12) for seed in range(2)]
    trained_on = TrainedOn([task.of(10**6), task.of(7), task.of(9)])
    found = examine(models, tokenizer, task, questions, trained_on=trained_on)
    assert [prompts for prompts, _ in oracle.calls] == [["7=", "40=", "8=", "123="]] * 2
    assert found.answered == (
        ("thrice 1000000", "3000000", ("", "")),
        ("thrice 7", "21", ("21", "21")),
        ("thrice 40", "120", ("120", "121")),
        ("thrice 8", "24", ("24", "24")),
        ("thrice 123", "369", ("369", "369")),
    )
    assert found.questions == 5 and found.not_asked == (1, "16 tokens, model.max_length is 12")
    assert found.trained_on == 1  # of those that were asked
    assert [(name, count, share.per_seed) for name, count, share in found.groups] == [
        ("1 digits", 2, (1.0, 1.0)),
        ("2 digits", 1, (1.0, 0.0)),
        ("3 digits", 1, (1.0, 1.0)),
        ("7 digits", 1, (0.0, 0.0)),
    ]
    (result,) = found.results
    assert result.exact_match.per_seed == pytest.approx((4 / 5, 3 / 5))
    assert result.log_smape.per_seed == pytest.approx((4 / 5, (3 + log_smape(120, 121)) / 5))


def test_an_answer_that_is_no_number_has_no_log_smape(finished_run, jaxgpt, tmp_path):
    path = written(tmp_path / "sums.tsv", "1+2\t3", "3+4\tseven")
    _, printed, _ = jaxgpt("evaluate", finished_run, "--questions", path, "--output", tmp_path / "found.json")
    assert "no log sMAPE: the answer 'seven' is no number" in printed
    large = "1" + "0" * 400
    examined = examined_as("this run", ("Kim",), no_number=large)
    assert "is too large a number" in examined.table()
    assert examined.to_json()["no_number"] == large
    recorded = json.loads((tmp_path / "found.json").read_text())
    assert recorded["results"][0]["log_smape"] is None and recorded["no_number"] == "seven"
    assert examined_as("this run", ()).to_json()["no_number"] is None


def test_exams_that_differ_do_not_overwrite_each_other(finished_run, jaxgpt, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxgpt.evaluation.exam.examine", lambda *given, **more: examined_as("this run", ()))
    monkeypatch.chdir(tmp_path)
    run = copied(finished_run, tmp_path / "run")
    for folder in (".", "a", "b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        written(tmp_path / folder / "sums.tsv", "1+2\t3", "3+4\t7")
    words = (
        ["sums.tsv"],
        ["sums.tsv", "--n", "1"],
        ["sums.tsv", "--checkpoint", "15", "--attention-factor", "2"],
        ["a/sums.tsv"],
        ["b/sums.tsv"],
    )
    for more in words:
        status, _, errors = jaxgpt("evaluate", run, "--questions", *more)
        assert status == 0, errors
    found = {path.name for path in run.glob("questions*")}
    plain = {
        "questions_sums.json",
        "questions_sums_n-1.json",
        "questions_sums_checkpoint-15_attention-factor-2.json",
    }
    assert plain < found and len(found) == len(words)


def examined_as(run, published, no_number=None):
    """An exam of one candidate and others, with two groups."""
    share = Estimate(0.5, (0.2, 0.8), (0.5,))
    results = tuple(Result(name, share, None if no_number else share) for name in (run, *published))
    groups = (("1+1 digits", 2, share), ("2+2 digits", 2, share))
    return Examined(4, results, (0, ""), 0, groups, no_number, ())


def test_the_groups_of_the_run_stand_below_it():
    lines = examined_as("this run", ("Kim", "Lee")).table().splitlines()
    assert [line.split("  ")[0] or line.strip().split("  ")[0] for line in lines[1:]] == [
        *("this run", "1+1 digits, 2", "2+2 digits, 2", "Kim", "Lee")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--template", "{a} => {a}"), "--template needs --questions FILE"),
        (("--beside", "Kim=x"), "--beside needs --questions FILE"),
        (("--beside", "Kim"), "write NAME=FILE"),
        (("--questions", "x", "--split", "train"), "--split chooses among the task's own questions"),
        (
            ("--questions", "x", "--beside", "Kim=x", "--beside", "Lee=x", "--beside", "Kim=y"),
            "--beside Kim is given twice; give each file a name of its own",
        ),
        (("--questions", "nowhere.tsv"), "nowhere.tsv"),
        (("--questions", "README.md", "--template", "x"), "write THEIRS => OURS"),
    ],
)
def test_options_that_do_not_fit_are_one_line(finished_run, jaxgpt, words, message):
    status, _, errors = jaxgpt("evaluate", finished_run, *words)
    last = errors.splitlines()[-1]
    assert status == 2 and message in last and last.startswith("error: ")


def test_of_nothing_there_is_no_exam():
    with pytest.raises(ValueError, match="at least one model"):
        examine([], None, SUMS, [])
