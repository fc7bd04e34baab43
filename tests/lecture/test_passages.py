"""Passages that models wrote, as Markdown."""

from jaxgpt.lecture.passages import passages
from jaxgpt.pages.blocks import Chooser, Paragraph, Passage


def frame(step):
    return [Passage(f"\nIt is {step}.\n\nNo {n}.\n", f"'*', seed {n}") for n in range(5)]


def test_the_first_and_the_last_step_are_shown():
    chooser = Chooser({"step": ["1", "10", "1,000"]}, [frame("one"), frame("ten"), frame("many")])
    assert passages([Paragraph("Each."), chooser]) == [
        "step 1; '\\*', seed 0:\n\n```text\nIt is one.\n\nNo 0.\n```\n",
        "step 1,000; '\\*', seed 0:\n\n```text\nIt is many.\n\nNo 0.\n```\n",
        "step 1,000; '\\*', seed 1:\n\n```text\nIt is many.\n\nNo 1.\n```\n",
    ]
    assert passages([Passage("It is."), Chooser({"step": ["1"], "layer": ["1"]}, [frame("one")])]) == []


def test_a_fence_is_longer_than_those_of_its_text_and_long_passages_are_cut():
    (found,) = passages([Chooser({"step": ["1"]}, [[Passage("a\n```\n\x1bb" + "c" * 300)]])])
    lines = found.splitlines()
    assert lines[2] == "````text" and lines[-1] == "````" and lines[4] == "```"
    assert lines[5].startswith("\\x1bbc") and lines[5].endswith("c...") and len("\n".join(lines[3:-1])) == 203
