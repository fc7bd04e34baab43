"""A page of every kind of block: nothing is lost, and nothing beside it is needed."""

import base64
import dataclasses
import html.parser
import io
import json
import re

import numpy as np
import pytest
from matplotlib.image import imread
from page_blocks import ATTENTION, SCORES, STEPS, TOKENS, heatmap, page, sections, table

from jaxgpt.core.tables import Entry, Table
from jaxgpt.pages import png
from jaxgpt.pages.blocks import Chooser, Folded, Heatmap, Paragraph, Passage, Section, TokenScores
from jaxgpt.pages.rendering import render


class Reader(html.parser.HTMLParser):
    """Notes elements and what stands in them, and that they are closed in their order."""

    VOID = {"meta", "img", "input", "br"}

    def __init__(self, text: str):
        super().__init__()
        self.open, self.seen, self.text = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        found = [attributes for name, attributes in self.seen if name == tag]
        return [a for a in found if all(a.get(key) == value for key, value in wanted.items())]


@pytest.fixture(scope="module")
def text():
    return page()


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def test_it_needs_nothing_beside_it(text, read):
    assert "://" not in text and "@import" not in text
    links = [a[name] for _, a in read.seen for name in ("src", "href", "xlink:href") if name in a]
    assert links and all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    ids = [a["id"] for _, a in read.seen if "id" in a]
    assert len(ids) == len(set(ids))
    used = {link[1:] for link in links if link[0] == "#"} | set(re.findall(r"url\(#(.*?)\)", text))
    assert used <= set(ids)
    (policy,) = read.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")
    assert not [character for character in text if not character.isprintable() and character not in "\n\t"]


def test_texts_are_shown_as_they_stand(text, read):
    assert read.text["h1"] == ["A <page>"] and "<b>&" in "".join(read.text["span"])
    assert read.text["pre"] == [f"\n  text of\n\tstep {step}\\x07" for step in STEPS]
    assert {"one", "two & three"} <= set(read.text["li"])
    spoken = {attributes["aria-label"] for attributes in read.all("svg", role="img")}
    assert spoken == {'Both "lines" fall.', "left", "x"}
    captions = "".join(read.text["figcaption"])
    assert 'Both "lines" fall.' in captions and "The left one." in captions
    assert "Attention of all heads." in captions


def test_more_than_three_sections_have_a_table_of_contents(read):
    assert [a["href"] for a in read.all("a")] == ["#s1", "#s2", "#s3", "#s4"]
    assert read.text["a"] == ["Pictures", "Tokens", "Training", "Samples"]
    assert not Reader(render("t", [], sections()[1:])).all("nav")


def test_the_table(read):
    (better,), (worse,) = read.all("td", **{"class": "better"}), read.all("td", **{"class": "worse"})
    assert better and worse and len(read.all("td")) == 10 and len(read.all("th", scope="col")) == 11
    assert read.text["b"] == ["1.23", "0.5"] and read.text["small"] == ["(1.1-1.3)"]
    plain = dataclasses.replace(
        table(), rows=(tuple(dataclasses.replace(e, sure="") for e in table().rows[0]),)
    )
    assert not [a for a in Reader(render("t", [], [Section("s", [plain])])).all("td") if "class" in a]


def test_long_texts_of_a_table_are_broken():
    rows = tuple(
        (Entry(name), Entry(text), Entry("1", "better")) for name, text in (("a", "x"), ("b", "y " * 30))
    )
    reader = Reader(render("t", [], [Section("s", [Table("T", "", ("cell", "text", "n"), rows)])]))
    assert [cell.get("class") for cell in reader.all("td")] == ["long", "better"] * 2
    assert [cell.get("class") for cell in reader.all("th", scope="col")] == [None, "long", None]


def test_a_script_stands_only_where_it_is_needed(read):
    assert len(read.all("script")) == 2
    quiet = render("t", ["x"], [Section("s", [Paragraph("a"), Folded("b", [table()])])])
    assert not Reader(quiet).all("script") and "script-src" not in quiet


def test_no_text_ends_the_data():
    nasty = "</script><script>alert(1)</script><!--"
    text = render(nasty, [nasty], [Section(nasty, [TokenScores([nasty], {nasty: np.ones(1)}, nasty)])])
    reader = Reader(text)
    assert len(reader.all("script")) == 2 and text.count("</script>") == 2
    (found,) = [value for value in data(text).values() if isinstance(value, dict)]
    assert found["scores"] == [[nasty, [1.0]]]


def data(text: str):
    return json.loads(re.search('id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_a_heatmap_holds_its_values(text, read):
    (figure,) = re.findall(
        '<figure class="heatmap[^>]*id="(h[0-9]+)"(?:(?!</figure>).)*all heads', text, re.DOTALL
    )[:1]
    source = re.search(f'id="{figure}".*?src="(.*?)"', text, re.DOTALL)[1]
    pixels = imread(io.BytesIO(base64.b64decode(source.partition(",")[2])))[:, :, :3]
    colours = (255 * pixels).round().astype(int)
    levels = np.abs(colours[:, :, None] - png.palette().astype(int)).sum(-1).argmin(-1)
    np.testing.assert_allclose(levels / 255, ATTENTION, atol=0.5 / 255 + 1e-9)
    found = data(text)
    assert found[figure]["rows"] == found[figure]["columns"]  # so that the same token is marked in both
    assert [found[found[figure]["rows"]][i] for i in (1, 7)] == ["\u2423be", "\u00b7"]


def test_tokens_that_differ_in_white_space_alone_are_read_out_as_they_are():
    prompts = (["a", "b"], [" a", "b"], ["a", "\n", "b"], ["a", " ", "b"], ["a", "\\n", "b"], ["a", "", "b"])
    blocks = [TokenScores(prompt, {"x": np.ones(len(prompt))}, "") for prompt in prompts]
    found = data(render("t", [], [Section("s", blocks)]))
    named = [value["tokens"] for value in found.values() if isinstance(value, dict)]
    assert [found[name] for name in named] == [
        *[["a", "b"], ["\u2423a", "b"], ["a", "\\n", "b"]],
        *[["a", "\u2423", "b"], ["a", "\\n", "b"], ["a", "\u00b7", "b"]],
    ]


def test_scored_tokens_are_the_text(text):
    shown = re.search('<div class="text".*?</div>', text, re.DOTALL)[0]
    bare = re.sub("<[^>]*>", "", shown)
    assert bare == "".join(TOKENS).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shares = re.findall(r'class="t( \w+)?"(?: style="--s:(.*?)")?>', shown)
    assert [(sign.strip(), share) for sign, share in shares] == [
        *[("pos", "0.25"), ("neg", "1.00"), ("", ""), ("pos", "0.12")],
        *[("pos", "0.50"), ("neg", "0.50"), ("pos", "0.06"), ("", "")],
    ]
    (scores,) = [v["scores"] for v in data(text).values() if isinstance(v, dict) and "scores" in v]
    assert [name for name, _ in scores] == list(SCORES)
    for (_, values), given in zip(scores, SCORES.values(), strict=True):
        np.testing.assert_allclose([np.nan if v is None else v for v in values], given, rtol=5e-3)


def test_a_chooser_shows_its_last_frame(text, read):
    frames = read.all("div", **{"class": "frame"})
    # Six of step and layer; of each of three steps one, with two inside.
    assert ["hidden" in frame for frame in frames] == [True] * 5 + [False] + 2 * [True, True, False] + [
        False,
        True,
        False,
    ]
    sliders = read.all("input", type="range")
    assert [slider["max"] for slider in sliders[:2]] == ["2", "1"] and len(sliders) == 6
    assert sliders[0]["value"] == "2" and sliders[0]["aria-valuetext"] == "2,000"
    labels = re.findall('<p class="at">(.*?)</p>', text)
    assert labels[:3] == ["step 0, layer first", "step 0, layer last", "step 640, layer first"]


def test_heatmaps_that_follow_each_other_stand_beside_each_other():
    text = render("t", [], [Section("s", [heatmap("a"), heatmap("b"), Paragraph("x"), heatmap()])])
    assert len(Reader(text).all("div", **{"class": "beside"})) == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Heatmap(np.zeros((2, 3)), "ab", "ab", ""), r"shape \(2, 3\) for 2 rows and 2 columns"),
        (lambda: Heatmap(np.full((1, 1), 1.5), "a", "a", ""), "from 1.5 to 1.5; those of a heatmap"),
        (lambda: Heatmap(np.full((1, 1), np.nan), "a", "a", ""), "from nan to nan"),
        (lambda: TokenScores("ab", {"x": np.zeros(3)}, ""), r"x: scores of shape \(3,\) for 2 tokens"),
        (lambda: TokenScores("ab", {}, ""), "no scores"),
        (lambda: Chooser({"step": "ab"}, [[]]), "1 frames for 2 combinations"),
        (lambda: render("t", [], [Section("s", ["text"])]), "str is no block of a page; known: Paragraph"),
    ],
)
def test_mistakes_are_named(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_a_passage_keeps_its_first_line_end():
    assert Reader(render("t", [], [Section("s", [Passage("\n a")])])).text["pre"] == ["\n\n a"]


def test_the_colours_of_a_heatmap_darken_evenly():
    colours = png.palette() / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)  # CIE L*
    steps = -np.diff(lightness[::15])
    assert (steps > 0).all() and steps.max() < 2.5 * steps.min()
    assert lightness[0] > 95 and lightness[-1] < 20
