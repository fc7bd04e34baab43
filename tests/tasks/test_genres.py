"""Genres: one label a text, as many texts of each, and messages that name the line."""

from collections import Counter

import pytest

from tasks.genres import Genres, genres, genres_of

CELLS = {
    "['Action', \"Sci-Fi\"]": ("Action", "Sci-Fi"),
    "Action, Sci-Fi": ("Action", "Sci-Fi"),
    "Slice of Life|Action|Action": ("Slice of Life", "Action"),
    "Drama": ("Drama",),
    " ; ": (),
    "NOT_EXIST": (),
    "['Unknown']": (),
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_lists_genres(cell):
    assert genres_of(cell) == CELLS[cell]


def table(path, rows, header="title,genres,synopsis"):
    lines = [header, *(f'Film {n},"{genre}","{text}"' for n, (genre, text) in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def path(tmp_path):
    """300 dramas, 200 comedies, 100 of both, 50 of neither, each twice."""
    counts = {"Drama": 300, "Comedy, Short": 200, "Comedy|Drama": 100, "Western": 50}
    rows = [(g, f"The {n}th story of {g[:7]} goes on") for g, count in counts.items() for n in range(count)]
    return table(tmp_path / "films.csv", rows + rows)


def test_every_split_has_as_many_of_each_and_none_of_both(path):
    task, texts = Genres(path=path), {}
    assert task.asked == ("Drama", "Comedy")
    for split in ("train", "validation", "test"):
        found = list(task.examples(split))
        counts = Counter(example.target for example in found)
        assert set(counts) == {"Drama", "Comedy"} and len(set(counts.values())) == 1
        for example in found:
            assert ("Drama" in example.prompt) == (example.target == "Drama")
        texts[split] = {example.key for example in found}
        assert len(texts[split]) == len(found), "equal texts are there once"
    assert not texts["train"] & texts["test"]
    assert task.notes() == "genres      Drama, Comedy; 500 of 650 texts have one of them alone"


def test_genres_may_be_chosen_and_texts_cut(path):
    task = Genres(path=path, chosen=("Western", "Short"), characters=9, held_out=0.3)
    found = list(task.examples("train"))
    assert {example.target for example in found} == {"Western", "Short"}
    assert all(len(e.prompt) <= 9 and e.key.startswith(f"{e.prompt} ") for e in found)
    assert task.typed(found[0].key) == type(found[0])(found[0].prompt, "", key=found[0].key)


def test_texts_that_are_cut_to_the_same_question_are_counted(path):
    """`The 7th`, of 50 westerns and 200 short ones, the first 50 of which begin as a western does."""
    task = Genres(path=path, chosen=("Western", "Short"), characters=9, held_out=0.3)
    assert "\nalike       100 of these begin as another does" in task.notes()
    prompts = {split: {e.prompt for e in task.examples(split)} for split in ("train", "test")}
    assert prompts["train"] & prompts["test"]
    for more in (25, 0):
        assert "alike" not in Genres(path=path, chosen=("Western", "Short"), characters=more).notes()


def test_what_cannot_be(path, tmp_path):
    for fields, message in (
        ({"chosen": ("Drama",)}, "at least 2 genres"),
        ({"most_frequent": 1}, "most_frequent=1: there must be at least 2"),
        ({"characters": -1}, "characters=-1 must be"),
    ):
        with pytest.raises(ValueError, match=message):
            Genres(**fields)
    for fields, message in (
        ({"chosen": ("Drama", "Opera")}, "films.csv has no genre 'Opera'; the most frequent: Drama"),
        ({"genre_column": "genre"}, "films.csv has no column 'genre'; did you mean genres"),
        ({"text_column": "plot"}, "has no column 'plot'"),
    ):
        with pytest.raises(ValueError, match=message):
            list(Genres(path=path, **fields).examples("train"))
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        list(genres().task.examples("train"))
    (tmp_path / "films.jsonl").write_text('{"genres": "Drama", "synopsis": "A story"}\n')
    with pytest.raises(ValueError, match="holds JSON"):
        list(Genres(path=str(tmp_path / "films.jsonl")).examples("train"))
    one = table(tmp_path / "one.csv", [("Drama", "a"), ("Drama", "b")])
    with pytest.raises(ValueError, match=r"one\.csv has 1 genres, and 2 are needed"):
        list(Genres(path=one).examples("train"))
    with open(path, "a") as file:
        file.write("Film,Drama\n")
    with pytest.raises(ValueError, match="line 1302: 2 columns where the first row has 3"):
        list(Genres(path=path).examples("train"))


def test_a_genre_that_a_split_lacks_is_named_with_a_line_of_another(tmp_path):
    rows = [("Drama", f"story {n}") for n in range(100)]
    for n in range(100):
        task = Genres(path=table(tmp_path / f"{n}.csv", [*rows, ("Opera", f"song {n}")]))
        try:
            list(task.examples("train"))
        except ValueError as error:
            assert "has no text with the genre 'Opera' alone for train (line 102 is for " in str(error)
            return
    raise AssertionError("of 100 songs one is held out")
