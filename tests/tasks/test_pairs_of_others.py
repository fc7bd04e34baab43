r"""Others' files for `pairs`: test sets, JSON, `\n` written out, groups, separators."""

import json
import math

import pytest

from jaxgpt import tokenizers
from jaxgpt.data.rows import build_rows
from jaxgpt.task import SPLITS, Share
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet
from tasks.corpus.number_errors import measure_errors
from tasks.corpus.pair_rows import plain_numbers
from tasks.pairs import Pairs

ROWS = [(f"{n} plus 1", str(n + 1)) for n in range(200)]


def write(path, rows, form="tsv"):
    if form == "tsv":
        path.write_text("".join("\t".join(row) + "\n" for row in rows))
    else:
        path.write_text("".join(json.dumps({"question": p, "answer": t}) + "\n" for p, t in rows))
    return str(path)


def prompts(task, split):
    return {example.prompt for example in task.examples(split)}


@pytest.mark.parametrize("form", ["tsv", "json"])
@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_split_may_be_a_file_of_its_own(tmp_path, form, split):
    theirs = [*ROWS[:20], ("9 plus 900", "909")]
    option = {f"{split}_path": write(tmp_path / "theirs", theirs, form)}
    task = Pairs(path=write(tmp_path / "own.tsv", ROWS), **option)
    asked = {prompt for prompt, _ in theirs}
    assert prompts(task, split) == asked
    other = ({"test", "validation"} - {split}).pop()
    assert not (prompts(task, "train") | prompts(task, other)) & asked
    assert prompts(task, "train") | prompts(task, other) | asked == {p for p, _ in ROWS} | {"9 plus 900"}


def test_both_splits_may_be_files_and_all_other_lines_are_trained_on(tmp_path):
    options = {
        f"{name}_path": write(tmp_path / name, [row]) for name, row in zip(SPLITS[1:], ROWS, strict=False)
    }
    task = Pairs(path=write(tmp_path / "own.tsv", ROWS), **options)
    assert [len(list(task.examples(split))) for split in SPLITS] == [198, 1, 1]


@pytest.mark.parametrize("text", ["{}\n", "{}\tanything\n", '{{"prompt": "{}"}}\n'])
def test_questions_of_a_file_are_kept_out(tmp_path, text):
    (tmp_path / "theirs").write_text("".join(text.format(prompt) for prompt, _ in ROWS[:50]))
    task = Pairs(path=write(tmp_path / "own.tsv", ROWS), hold_out=str(tmp_path / "theirs"))
    assert prompts(task, "test") >= {prompt for prompt, _ in ROWS[:50]}
    assert not prompts(task, "train") & {prompt for prompt, _ in ROWS[:50]}


@pytest.mark.parametrize("text", ["{}\n", "{}\t4\n"])
@pytest.mark.parametrize("form", ["tsv", "json"])
def test_questions_with_line_ends_written_out_are_kept_out(tmp_path, text, form):
    """Lines keep them written out, as the file of the pairs is read; in JSON they are line ends."""
    (tmp_path / "theirs").write_text("".join(text.format(rf"{prompt}\n\nA:") for prompt, _ in ROWS[:50]))
    ends = r"\n\nA:" if form == "tsv" else "\n\nA:"
    path = write(tmp_path / "own", [(prompt + ends, target) for prompt, target in ROWS], form)
    task = Pairs(path=path, hold_out=str(tmp_path / "theirs"))
    held = {prompt + ends for prompt, _ in ROWS[:50]}
    assert prompts(task, "test") >= held and not prompts(task, "train") & held
    assert prompts(task, "train")


def test_keys_are_named_or_usual(tmp_path):
    (tmp_path / "q.json").write_text('[{"frage": "a", "antwort": 3, "art": "x"}]')
    task = Pairs(
        path=str(tmp_path / "q.json"), held_out=0.0, prompt_key="frage", target_key="antwort", group="art"
    )
    (found,) = task.examples("train")
    assert (found.prompt, found.target, found.group) == ("a", "3", "x")
    with pytest.raises(ValueError, match=r"row 1 ") as error:
        next(Pairs(path=str(tmp_path / "q.json")).examples("train"))
    assert "it has 'frage, antwort, art': name one with --task.prompt-key" in str(error.value)


def test_line_ends_written_out(tmp_path):
    path = write(tmp_path / "gpt3.tsv", [(r"Q: What is 1 plus 2?\n\nA:", "3")])
    (kept,) = Pairs(path=path, held_out=0.0).examples("train")
    (read,) = Pairs(path=path, held_out=0.0, escapes="read").examples("train")
    assert kept.prompt == r"Q: What is 1 plus 2?\n\nA:" and read.prompt == "Q: What is 1 plus 2?\n\nA:"
    assert "--task.escapes read" in Pairs(path=path).notes() and not Pairs(path=path, escapes="read").notes()


def test_a_last_column_as_group(tmp_path):
    path = write(tmp_path / "g.tsv", [("1+1", "2", "easy"), ("71+29", "100", "hard")])
    assert {e.group for e in Pairs(path=path, held_out=0.0, group="column").examples("train")} == {
        "easy",
        "hard",
    }
    with pytest.raises(ValueError, match=r"or task\.group=column for a group at its end"):
        next(Pairs(path=path).examples("train"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("13,086.64 + 1,000,000.50", "13086.64 + 1000000.5"),
        ("007 and 5.00 and 0.50", "7 and 5 and 0.5"),
        ("-1,234", "-1234"),
        ("1,2,3 or 10.0.0.1 or a12,345", "1,2,3 or 10.0.0.1 or a12,345"),
        ("He has 3. Then 4.", "He has 3. Then 4."),
        ("5.00, 6.00", "5, 6"),
        ("1,000, 2,000, and (3.50,x,4.0)", "1000, 2000, and (3.5,x,4)"),
        ("5.00,6 or 1,234,56 or .05", "5.00,6 or 1,234,56 or .05"),
    ],
)
def test_plain_numbers(text, plain):
    assert plain_numbers(text) == plain


@pytest.mark.parametrize("spec", ["fone:9:2", "xval:2"])
def test_numbers_with_separators_are_read_or_refused_with_the_way_out(tmp_path, spec):
    path = write(tmp_path / "n.tsv", [("13,086.64 + 1,000.50 =", "14,087.14")])
    texts = [example for example in Pairs(path=path, held_out=0.0).examples("train")]
    with pytest.raises(OutsideAlphabet, match=r"for a file of pairs set task\.numbers=plain"):
        tokenizer = tokenizers.build(spec, lambda: (e.prompt + e.target for e in texts))
        build_rows(texts, tokenizer, encoder_decoder=False, max_length=64)
    texts = [example for example in Pairs(path=path, held_out=0.0, numbers="plain").examples("train")]
    tokenizer = tokenizers.build(spec, lambda: (e.prompt + e.target for e in texts))
    assert tokenizer.decode(tokenizer.encode(texts[0].target)) == "14087.14"
    assert Pairs(path=path, numbers="plain").prompt("13,086.64 + 1,000.50 =") == texts[0].prompt


def test_errors_of_numeric_answers():
    found = measure_errors([("10", "9"), ("1,000", "1100"), ("0", "2"), ("5", "five"), ("Paris", "3")])
    assert found["numeric_answers"] == Share(3 / 4, 4)
    assert found["absolute_error"] == (1 + 100 + 2) / 3 and found["median_absolute_error"] == 2
    assert found["relative_error"] == pytest.approx(0.1) and found["median_relative_error"] == pytest.approx(
        0.1
    )
    assert measure_errors([("Paris", "3")]) == {}
    assert math.isnan(measure_errors([("3", "many")])["absolute_error"])
