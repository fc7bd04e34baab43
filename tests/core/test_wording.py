"""Messages stay short and on one line, whatever text they quote."""

from jaxgpt.core.wording import one_line, quoted


def test_quoted_text_is_cut_and_escaped():
    assert quoted("short") == "'short'"
    assert quoted("a\nb\x00") == r"'a\nb\x00'"
    assert quoted("x" * 100, 10) == "'" + "x" * 7 + "...'"


def test_a_long_message_keeps_its_beginning_and_its_end():
    message = "data.csv line 3: " + "{" * 200_000 + " is not JSON; give another file"
    line = one_line(message)
    assert len(line) == 300
    assert line.startswith("data.csv line 3: ")
    assert line.endswith(" is not JSON; give another file")
    assert one_line("two\n  lines") == "two lines"
