"""Reading documents: tables against the standard library's writer, and every fault a file can have."""

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.corpus import read_documents

FIELD = st.text(
    st.one_of(
        st.sampled_from('",;\t|\n\r '), st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
    ),
    max_size=30,
)


def written(rows, delimiter, line_end="\r\n"):
    out = io.StringIO(newline="")
    # With another line end than its own, the writer of Python 3.11 leaves a lone carriage return unquoted.
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


@pytest.fixture
def file(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


@pytest.mark.thorough
@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_the_csv_module_writes_is_read_back(rows, delimiter, line_end, mark):
    data = written([("number", "text", "note"), *rows], delimiter, line_end)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(mark + data)
        assert read_documents(str(path), "text") == [row[1] for row in rows]
        assert read_documents(str(path), "note", delimiter) == [row[2] for row in rows]


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(FIELD, min_size=1, max_size=6))
def test_json_lines_are_read_back(texts):
    data = "\n".join(json.dumps({"id": str(i), "text": t}) for i, t in enumerate(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text(data, encoding="utf-8")
        assert read_documents(str(path)) == texts


def test_the_format_follows_the_content(file):
    line = '{"text": "one"}\n'
    assert read_documents(file("a.txt", line)) == read_documents(file("a.csv", line)) == ["one"]
    assert read_documents(file("b.txt", "a,b\n\nc\nd\n")) == ["a,b", "c\nd"]
    assert read_documents(file("c.txt", "a\r\n\r\nc\r\nd\r\n")) == ["a", "c\nd"]
    assert read_documents(file("d.txt", "one\ntwo\n")) == ["one", "two"]
    assert read_documents(file("e.txt", "a\tb\none\ttwo\n"), text_column="b") == ["two"]


def test_the_obvious_column_needs_no_name(file):
    prose = "a sentence that goes on for more than forty characters"
    assert read_documents(file("one.csv", 'plot\n"a, b"\n')) == ["a, b"]
    assert read_documents(file("known.csv", "title,Synopsis\nlonger than the text,b\n")) == ["b"]
    assert read_documents(file("long.csv", f"title,plot\na,{prose}\n")) == [prose]


def test_an_unclear_column_is_shown_with_samples(file):
    with pytest.raises(ValueError, match=r"--task\.text-column") as error:
        read_documents(file("a.csv", "left;right\nred apple;green pear\n"))
    assert "left ('red apple'), right ('green pear')" in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="did you mean synopsis"):
        read_documents(file("b.csv", "title,synopsis\na,b\n"), "synopsys")
    with pytest.raises(ValueError, match="2 columns called 'a'"):
        read_documents(file("c.csv", "a,a\nb,c\n"), "a")
    # Two usual names are not obvious, nor is a first line too long to be a header.
    with pytest.raises(ValueError, match="which column"):
        read_documents(file("d.csv", "text,description\na,b\n"))
    with pytest.raises(ValueError, match="which column"):
        read_documents(file("e.tsv", f"Go.\t{'long ' * 20}\nRun.\t{'words ' * 20}\n"))


def test_a_table_without_header_is_read_by_number(file):
    path = file("pairs.tsv", 'Go.\tVa !\n"Run," he said.\tCours.\n')
    assert read_documents(path, "1") == ["Go.", '"Run," he said.']
    assert read_documents(path, "2") == ["Va !", "Cours."]
    with pytest.raises(ValueError, match="no column '3'"):
        read_documents(path, "3")
    assert read_documents(file("b.csv", "1,2\na,b\n"), "2") == ["b"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n", "is empty"),
        ("a.csv", "title,text\n", r"has a header \(title, text\) and no rows"),
        ("a.csv", b"text\nfine\ncaf\xe9\n", "line 3: byte 0xe9 is not UTF-8.*iconv"),
        ("a.txt", b"fine\r\n\r\ncaf\xe9\r\n", "line 3: byte 0xe9"),
        ("a.csv", "text".encode("utf-16"), r"has a header \(text\) and no rows"),
        ("a.csv", 'id,text\n1,"two\nlines"\n2,b,c\n', "line 4: 3 columns where the first row has 2"),
        ("a.csv", "id,text\n1,a\n2\n", "line 3: 1 columns where the first row has 2, with comma"),
        ("a.csv", 'id,text\n1,a\n2,"open\n3,c\n', "line 3: unexpected end of data"),
        ("a.csv", 'id,text\n1,"a" b\n', "line 2:.*written twice"),
        ("a.jsonl", '{"text": "a"}\n\n{"text": \n', "line 3 is not JSON: '{\"text\": '"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', "line 2 is not a JSON object"),
        ("a.jsonl", '{"text": "a"}\n{"other": "b"}\n', "line 2: 'text' is missing"),
        ("a.jsonl", '{"text": "a"}\n{"text": 3}\n', "line 2: 'text' is '3', not text"),
    ],
)
def test_faulty_files_are_named_with_the_line(file, name, data, message):
    with pytest.raises(ValueError, match=message) as error:
        read_documents(file(name, data))
    assert "\n" not in str(error.value)


ROWS = [{"id": n, "text": f"Told {n}\ntimes, {{déjà}} vu."} for n in range(3)]
JSON_FORMS = {
    "an object a line": "\n".join(map(json.dumps, ROWS)),
    "an array": json.dumps(ROWS),
    "an array over lines": json.dumps(ROWS, indent=2),
    "an array, an object a line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "objects over lines": "\n".join(json.dumps(row, indent=4, ensure_ascii=False) for row in ROWS),
    "objects without space": "".join(map(json.dumps, ROWS)),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.txt", "a.csv", "a.json.gz"])
@pytest.mark.parametrize("form", JSON_FORMS)
def test_json_is_read_in_whatever_form_it_is_written(file, form, name, end):
    data = ("\ufeff \n" + JSON_FORMS[form]).replace("\n", end).encode()
    path = file(name, gzip.compress(data) if name.endswith("gz") else data)
    assert read_documents(path) == read_documents(path, "text") == [row["text"] for row in ROWS]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[]", "is an empty array"),
        ("[{}]", "holds objects without keys"),
        ('["a", "b"]', "row 1 is not a JSON object"),
        ('[{"text": "a"}, 3]', "row 2 is not a JSON object: '3'"),
        ('[\n {"text": "a"},\n {"text": 3}\n]', "row 2: 'text' is '3', not text"),
        ('[\n {"text": "a"},\n {"other": "b"}\n]', "row 2: 'text' is missing"),
        ('[\n {"text": "a"},\n {"text": b}\n]', "line 3 is not JSON: ' {\"text\": b}'"),
        ('[\n {"text": "a"},\n {"text": "b"}', r"line 1 is not JSON: '\['; the file ends inside of it"),
        ('{\n "text": "a",\n}', "line [23] is not JSON: '"),  # Python 3.13 names the comma
        ('{"text": "a"}\n}', "line 2 is not JSON: '}'"),
        ('{"text": {"0": "a", "1": "b"}}', "line 1: 'text' is .*not text; write a JSON object a row"),
        ('{"data": [{"text": "a"}]}', "'data' is .*, not text; write a JSON object a row"),
        ("[" * 100_000, "line 1 is not JSON"),
        ('{"text": ' * 50_000, "line 1 is not JSON"),
        ('{"text": ' + "9" * 5000 + "}", "line 1"),
    ],
    ids=lambda value: value[:20],
)
def test_faulty_json_is_named_with_the_line_or_the_row(file, data, message):
    path = file("a.json", data)
    with pytest.raises(ValueError, match=message) as error:
        read_documents(path)
    assert str(error.value).startswith(path) and len(str(error.value)) <= 300


def test_plain_text_that_only_begins_like_json_stays_text(file):
    for text in ("[1] A note.", "{a} set", '{"quoted"} words', "[ {", "{'a': 1}"):
        assert read_documents(file("a.txt", text)) == [text]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_a_table_with_any_line_ends(file, end):
    data = written([("id", "text"), ("1", "a, b"), ("2", 'say "c"'), ("3", "two\nlines")], ",", "\n")
    path = file("a.csv", data.replace(b"\n", end.encode()))
    own = {"\r\r\n": "\r\n"}.get(end, end)  # what Windows has converted twice is put right
    assert read_documents(path) == ["a, b", 'say "c"', f"two{own}lines"]
    with pytest.raises(ValueError, match="line 3: 3 columns"):
        read_documents(
            file(
                "b.csv", data.replace(b'"a, b"', b"a", 1).replace(b'"2"', b"2,2").replace(b"\n", end.encode())
            )
        )


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_that_excel_names(file, line, end):
    data = end.join([line, "id;text", "1;a, b, c", "2;d, e, f", ""])
    for delimiter in (None, "semicolon"):
        assert read_documents(file("a.csv", data.encode("utf-16")), None, delimiter) == ["a, b, c", "d, e, f"]
    with pytest.raises(ValueError, match="line 4: 3 columns where the first row has 2"):
        read_documents(file("a.csv", data.replace("2;d", "2;2;d")))
    with pytest.raises(ValueError, match="has a line that names its delimiter, ';', and no rows"):
        read_documents(file("a.csv", line + end))


def test_paths_that_are_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        read_documents("")
    with pytest.raises(ValueError, match="is a directory"):
        read_documents(str(tmp_path))
    with pytest.raises(ValueError, match="No such file"):
        read_documents(str(tmp_path / "none.csv"))


def test_delimiters_by_name_and_character(file):
    path = file("a.csv", "x:text\n1:one, two\n")
    assert read_documents(path, delimiter=":") == ["one, two"]
    for name, character in {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "\\t": "\t"}.items():
        assert read_documents(file("b.csv", written([("n", "text"), ("1", "é,;|")], character)), None, name)
    for wrong in ("::", '"', ""):
        with pytest.raises(ValueError, match="neither one character"):
            read_documents(path, None, wrong)


def test_a_very_long_field_is_read_and_the_limit_put_back(file):
    before = csv.field_size_limit()
    long = "word " * 100_000
    assert read_documents(file("a.csv", written([("n", "text"), ("1", long)], ","))) == [long]
    assert csv.field_size_limit() == before


def test_real_tables(shared_data):
    """The wide semicolon-separated export and the plain comma-separated table, without any setting."""
    assert len(read_documents(str(shared_data / "anime_synopses.csv"))) == 10_545
    sports = read_documents(str(shared_data / "anime_mal_raw" / "sports.csv"))
    with open(shared_data / "anime_mal_raw" / "sports.csv", encoding="utf-8", newline="") as file:
        assert sports == [row["synopsis"] for row in csv.DictReader(file, delimiter=";")]
    assert len(read_documents(str(shared_data / "eng-fra.tsv"), "1")) == 5000
