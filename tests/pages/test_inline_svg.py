"""A picture as a part of a page: the same lines and words, small, and in the page's colours."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import pyplot
from page_blocks import lines

from jaxgpt.evaluation import plots
from jaxgpt.pages.inline_svg import inline, sheet, svg_of


def absolute(path: str) -> list[tuple[float, float]]:
    """The points of a path, whichever way they are told."""
    found, at, begin = [], np.zeros(2), np.zeros(2)
    for command, numbers in re.findall("([A-Za-z])([^A-Za-z]*)", path):
        values = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        start = at
        for point in np.reshape(values, (-1, 2)):
            at = point + (start if command.islower() else 0)
            found.append(tuple(at))
        if command in "Mm":
            begin = at
        if command in "Zz":
            at = begin
    return found


@pytest.fixture(scope="module")
def raw():
    return svg_of(lines())


@pytest.fixture(scope="module")
def made(raw):
    classes = {}
    return inline(raw, 'a "b" <c>', "x-", classes), classes


def test_lines_stay_where_they_are(raw, made):
    theirs = [absolute(d) for d in re.findall(r'\bd="(.*?)"', raw, re.DOTALL)]
    found = [absolute(d) for d in re.findall(r'\bd="(.*?)"', made[0], re.DOTALL)]
    theirs = theirs[2:]  # the two backgrounds
    assert [len(points) for points in found] == [len(points) for points in theirs]
    for one, other in zip(found, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=0.00501)


def test_texts_are_texts_in_the_font_of_the_page(raw, made):
    shown = [e.text for e in ElementTree.fromstring(made[0]).iter() if e.tag in ("text", "tspan") and e.text]
    assert {"step", "size <0>", "size <1>"} <= set(shown)
    assert len(shown) == len(re.findall(r"<(?:text|tspan)[^>]*>[^\s<]", raw))
    assert "font-family" not in sheet(made[1]) and "font-size:10px" in sheet(made[1])


def test_black_white_and_grey_follow_the_page(made):
    style = sheet(made[1])
    assert "stroke:var(--ink)" in style and "#000000" not in style and "#ffffff" not in style
    assert "stroke:#e5e5e5;stroke:color-mix(in srgb,var(--ink) 10%,var(--paper))" in style
    assert f"stroke:{plots.BLUE}" in style
    # The pale area lets the page through, and on white it is what it was.
    r, g, b, share = map(float, re.search(r"fill:rgb\((\d+) (\d+) (\d+)/([\d.]+)\)", style).groups())
    np.testing.assert_allclose(255 - share * (255 - np.asarray([r, g, b])), [0xF4, 0xE3, 0xD7], atol=2)


def test_it_is_less_than_half_of_what_it_was(raw, made):
    assert len(made[0]) + len(sheet(made[1])) < len(raw) / 2
    assert "metadata" not in made[0] and "xmlns" not in made[0] and "<style" not in made[0]


def test_its_words_and_names_are_its_own(raw, made):
    root = ElementTree.fromstring(made[0])
    assert root.get("role") == "img" and root.get("aria-label") == 'a "b" <c>'
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    links = {e.get("href")[1:] for e in root.iter("use")} | set(re.findall(r"url\(#(.*?)\)", made[0]))
    assert ids and set(ids) == links and all(name.startswith("x-") for name in ids)


def test_words_on_a_coloured_area_keep_their_colour():
    figure, (axes,) = plots.new_figure(3, 3)
    axes.imshow(np.eye(2), cmap="viridis")
    axes.text(0, 0, "on yellow")
    axes.text(1, 0, "on purple", color="w")
    axes.text(-0.4, 2.5, "outside")
    classes = {}
    root = ElementTree.fromstring(inline(svg_of(figure), "", "", classes))
    styles = {name: style for style, name in classes.items()}
    fills = {}
    for group in root.iter():
        for text in group.findall("text"):
            both = [styles.get(e.get("class", ""), "") for e in (text, group)]
            fills[text.text] = next((m[1] for s in both if (m := re.search(r"(?<!-)fill:([^;]*)", s))), None)
    assert fills["on yellow"] == "#000000" and fills["on purple"] == "#ffffff" and fills["outside"] is None


def test_a_figure_of_a_window_is_closed():
    figure = pyplot.figure()
    number = figure.number
    svg_of(figure)
    assert not pyplot.fignum_exists(number)


def test_a_file_is_read(tmp_path, raw):
    plots.save(lines(), tmp_path / "x.svg")
    file = io.StringIO(inline(svg_of(tmp_path / "x.svg"), "", "x-", {}))
    assert file.getvalue() == inline(raw, "", "x-", {})
