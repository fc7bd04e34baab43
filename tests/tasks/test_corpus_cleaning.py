"""The cleaning rules one by one, their counts, and the last word of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.corpus import RULES, clean, last_word, last_word_score, read_documents, shortened


@pytest.mark.parametrize(
    ("rule", "text", "result"),
    [
        ("credits", "They win. [Written by MAL Rewrite]", "They win. "),
        ("credits", "They win [at last].", "They win [at last]."),
        ("sources", "They win. (Source: a site, edited) ", "They win."),
        ("sources", "They (Source: a site) win.", "They (Source: a site) win."),
        ("symbols", "A☆star♪ costs 3$ + 4€ — “yes” ❤\x07!\n", "Astar costs 3$ + 4€ — “yes” !\n"),
        ("symbols", "音楽 n°1, e\u0301tude", "音楽 n1, e\u0301tude"),
        ("spaces", "  a\n\n b\tc ", "a b c"),
        ("placeholders", "No synopsis information has been added to this title.", None),
        ("placeholders", "There is No synopsis has been added.", "There is No synopsis has been added."),
        ("short", "1234", None),
        ("short", "12345", "12345"),
        ("long", "1234567890", "1234567890"),
        ("long", "12345678901", None),
        ("adaptations", "An adaptation of the novel.", None),
        ("adaptations", "A film Based on a song.", None),
        ("adaptations", "They adapt; the base stands.", "They adapt; the base stands."),
    ],
)
def test_each_rule(rule, text, result):
    kept, report = clean([text], (rule,), 5, 10)
    assert kept == ([] if result is None else [result])
    assert report.dropped[rule] == (result is None)
    assert report.changed[rule] == (result is not None and result != text)


def test_duplicates_keep_the_first_and_the_order():
    kept, report = clean(["b", "a", "b", " a"], ("spaces", "duplicates"), 0, 9)
    assert kept == ["b", "a"]
    assert report.dropped == {"spaces": 0, "duplicates": 2, "empty": 0}
    assert clean(["b", "b"], (), 0, 9)[0] == ["b", "b"]


@given(
    st.lists(st.text(max_size=20), max_size=20),
    st.lists(st.sampled_from(sorted(RULES)), max_size=12),
)
def test_kept_and_dropped_add_up(documents, rules):
    kept, report = clean(documents, rules, 3, 12)
    assert report.read == len(documents) == report.kept + sum(report.dropped.values())
    assert report.kept == len(kept) == int(report.table().splitlines()[-1].split()[-1])
    assert all(kept)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="did you mean duplicates"):
        clean(["a"], ("duplicate",), 0, 9)


@pytest.mark.thorough
def test_counts_on_the_collected_synopses(shared_data):
    """5,375 is what the notes of the collection count after tags, white space, lengths and adaptations."""
    documents = read_documents(str(shared_data / "anime_synopses.csv"))
    rules = ("credits", "sources", "spaces", "placeholders", "short", "long", "adaptations")
    kept, report = clean(documents, rules, 200, 1000)
    assert len(kept) == 5375
    assert report.changed["credits"] == 2319
    assert report.changed["sources"] == 3527
    assert report.dropped["adaptations"] == 253
    assert len(clean(documents, (*rules, "duplicates"), 200, 1000)[0]) == len(set(kept)) == 5345


@pytest.mark.parametrize(
    ("text", "prompt", "target"),
    [
        ("She opened the door, at last!", "She opened the door, at", " last"),
        ("He is the one-eyed man's friend's...\n", "He is the one-eyed man's", " friend's"),
        ("a well-known\nplace-name.”", "a well-known", "\nplace-name"),
        ("日本 は 島国。", "日本 は", " 島国"),
        ("The year was  1999.", "The year was", "  1999"),
        ("वह घर में।", "वह घर", " में"),
        ("in the cafe\u0301.", "in the", " cafe\u0301"),
        ("She loves it❤\ufe0f!", "She loves", " it"),
    ],
)
def test_last_word(text, prompt, target):
    assert last_word(text) == (prompt, target)
    assert text.startswith(prompt + target)


@pytest.mark.parametrize("text", ["", "word.", " word", "see (end", "this and/or.", "so - -", 'the "end"'])
def test_what_cannot_be_asked(text):
    assert last_word(text) is None


@pytest.mark.parametrize(
    ("completion", "score"),
    [
        (" last", 1), (" last!", 1), (" last. Then more", 1), (" last' they", 1), (" last—and", 1),
        (" las", 0), (" Last", 0), (" lasts", 0), (" last-born", 0), (" last's", 0), (" last’s", 0),
        ("last", 0), ("  last", 0), ("\nlast", 0), (" lást", 0), (" the last", 0), ("", 0), (" last1", 0),
    ],
)  # fmt: skip
def test_last_word_score(completion, score):
    assert last_word_score(" last", completion) == score


def test_a_mark_goes_on_with_a_word():
    assert last_word_score(" मे", " में") == 0 == last_word_score(" cafe", " cafe\u0301")
    assert last_word_score(" में", " में।") == 1


@given(st.text())
def test_a_last_word_is_always_in_the_text_and_accepted(text):
    parts = last_word(text)
    if parts is not None:
        assert text.startswith(parts[0] + parts[1])
        assert last_word_score(parts[1], text[len(parts[0]) :]) == 1


@pytest.mark.parametrize(("characters", "words"), [(0, 3), (13, 3), (12, 2), (9, 2), (8, 1), (5, 1)])
def test_shortened_cuts_where_a_word_starts(characters, words):
    text = "one two three"
    assert shortened(text, characters) == " ".join(text.split()[-words:])


def test_shortened_cuts_a_word_that_is_too_long():
    assert shortened("one two three", 3) == "ree"
