"""Tables and sentences against figures computed by hand, and text that is shown as it stands."""

import dataclasses
import re

import pytest
from comparison_building import plan, row

from jaxgpt.comparison import findings, sections
from jaxgpt.comparison.results import Results
from jaxgpt.core import tables
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.intervals import newcombe, wilson


def entries(table):
    """What a table shows, by row and column."""
    return {row[0].text: dict(zip(table.header[1:], row[1:], strict=True)) for row in table.rows}


def test_exact_match_with_intervals_and_bold_where_the_difference_is_sure(found):
    shown = entries(sections.exact_match(found, "examples"))
    # Standard deviations sqrt(0.0008 / 3) and sqrt(0.0006 / 3); 3.182 is Student's point for 3 degrees.
    assert shown["digits (baseline)"]["all"] == Entry(
        "0.920", False, "0.894-0.946", share=pytest.approx(0.92)
    )
    assert shown["digits:2:right"]["all"] == Entry("0.970", True, "0.947-0.993", share=pytest.approx(0.97))
    assert shown["digits:2:left"]["all"].whole == "0.520 (0.494-0.546)" and shown["digits:2:left"]["all"].bold
    assert list(shown["digits:2:left"]) == [
        "all",
        "equal lengths",
        "lengths differ by 1-2",
        "4+4 digits (beyond training)",
    ]
    assert not shown["digits:2:right"]["equal lengths"].bold
    low, high = wilson(0, 20)
    assert shown["digits:2:right"]["4+4 digits (beyond training)"].whole == f"0.000 ({low:.3f}-{high:.3f})"


def test_differences_are_paired_by_seed(found):
    shown = entries(sections.differences(found, "examples"))
    assert "digits (baseline)" not in shown and "digits" not in shown
    # 0.05, 0.05, 0.04 and 0.06: standard deviation sqrt(0.0002 / 3), so 3.182 x 0.00408 = 0.0130.
    assert shown["digits:2:right"]["all"] == Entry("+0.050", True, "+0.037 to +0.063")
    # -0.4 in every seed: from 100 questions.
    low, high = newcombe(0.52, 0.92, 100)
    assert shown["digits:2:left"]["all"] == Entry("-0.400", True, f"{low:+.3f} to {high:+.3f}")
    assert shown["digits:2:left"]["4+4 digits (beyond training)"].bold is False


def test_costs(found):
    shown = entries(sections.costs(found, "examples"))["digits (baseline)"]
    facts = found.plan.baseline.facts
    assert shown["time"].text == "1:05"
    assert shown["bits per byte"].whole == "1.250 (0.925-1.575)"  # sqrt(0.125 / 3) x 3.182 / 2 = 0.325
    assert shown["steps"].text == "20" and shown["characters a token"].text == "1.00"
    assert float(shown["FLOPs"].text) == pytest.approx(facts.flops * 8 * 20, rel=1e-2)
    assert "less is better; bold" in sections.costs(found, "examples").caption
    blank = [dataclasses.replace(f, bits_per_byte=None) for f in found.findings["examples"]]
    lacking = sections.costs(dataclasses.replace(found, findings={"examples": tuple(blank)}), "examples")
    assert entries(lacking)["digits (baseline)"]["bits per byte"].text == "-"
    assert "- where a value has no likelihood" in lacking.caption
    flops = entries(sections.costs(found, "flops"))
    assert flops["digits (baseline)"]["steps"].text == "20" and flops["digits:2:right"]["steps"].text != "20"


def test_every_group_has_a_row(found):
    table = sections.by_group(found, "examples")
    shown = entries(table)
    assert list(shown) == ["1+1 digits", "1+2 digits", "2+2 digits", "4+4 digits (beyond training)"]
    assert shown["1+2 digits"]["questions"].text == "50"
    assert shown["1+2 digits"]["digits:2:left"].whole.startswith("0.120 (0.094-0.146") and (
        shown["1+2 digits"]["digits:2:left"].bold
    )
    assert table.header[2:] == ("digits (baseline)", "digits:2:right", "digits:2:left")


def test_the_findings_say_who_is_best_what_is_sure_and_where_it_hurts(found):
    best, against, sides, hurts, lengths = findings.sentences(found, "examples")
    assert best == (
        "Best: digits:2:right, with 0.970 (0.947 to 0.993) of all questions right, surely ahead of the next, "
        "digits, by +0.050 (+0.037 to +0.063)."
    )
    assert (
        "surely better: digits:2:right +0.050" in against and "surely worse: digits:2:left -0.400" in against
    )
    assert sides.startswith("From which side: digits:2:right is surely better than digits:2:left: +0.450")
    assert "on equal lengths, not sure" in sides and "+0.805" in sides
    assert "each gap sure: digits:2:left 0.120 on lengths differ by 1-2 against 0.985 on equal" in hurts
    assert lengths.endswith("digits, digits:2:right and digits:2:left up to 1 digit.")


def test_the_findings_say_what_changes_with_the_budget(found):
    best, *_, changed = findings.sentences(found, "flops")
    assert best.endswith("not surely ahead of digits:2:right (0.920).")
    assert changed == (
        "Otherwise than at equal examples: digits:2:right is not told apart from the baseline instead of "
        "surely better."
    )


def test_nothing_right_and_nothing_trained(found):
    nothing = row("all", (0.0,) * 4)
    cells = tuple(dataclasses.replace(f, overall=nothing) for f in found.findings["examples"])
    empty = Results(found.plan, {"examples": cells[:2]}, {"examples": {"digits:2:left": "not finite"}})
    assert findings.sentences(empty, "examples") == [
        "No cell answers a question right: train longer, or ask for less.",
        "No result: digits:2:left (not finite).",
    ]
    none = Results(found.plan, {"examples": ()}, {"examples": {}})
    assert findings.sentences(none, "examples") == [] and sections.tables(none, "examples") == []


def test_one_seed_is_never_sure(found):
    def first(row):
        return dataclasses.replace(
            row, exact_match=row.exact_match._replace(per_seed=row.exact_match.per_seed[:1])
        )

    cells = tuple(dataclasses.replace(f, overall=first(f.overall)) for f in found.findings["examples"])
    single = Results(found.plan, {"examples": cells, "flops": ()}, {"examples": {}, "flops": {}})
    assert not any(entry["all"].bold for entry in entries(sections.exact_match(single, "examples")).values())
    assert entries(sections.differences(single, "examples"))["digits:2:left"]["all"].whole == "-0.400"


def test_only_what_is_wholly_right_reads_one():
    assert [sections.share(v) for v in (1.0, 0.9996, 0.99, 0.0002, 0.0)] == [
        "1.000",
        ">0.999",
        "0.990",
        "<0.001",
        "0.000",
    ]


NASTY = 'a_b & 50% <b>"x"</b> $1 #2 {3} ~ ^ \\ | `c` *d* [e]'
TABLE = Table(
    NASTY, NASTY, ("cell", NASTY), ((Entry(NASTY, True, NASTY), Entry("1", True, "0-2", share=0.25)),)
)


def test_markdown():
    simple = Table("Title", "Caption.", ("cell", "all"), ((Entry("x"), Entry("0.5", True, "0-1")),))
    assert tables.markdown(simple) == (
        "### Title\n\nCaption.\n\n| cell | all |\n| :-- | --: |\n| x | **0.5 (0-1)** |\n"
    )
    line = tables.markdown(TABLE).splitlines()[-1]
    unescaped = re.sub(r"\\(.)", "", line)
    assert len(re.findall(r"\|", unescaped)) == 3 and "<" not in unescaped and "`" not in unescaped
    assert re.sub(r"\\(.)", r"\1", line).count(NASTY) == 2


def test_latex():
    simple = Table("T", "C.", ("cell", "all"), ((Entry("x"), Entry("0.5", True, "0-1")),))
    assert tables.latex(simple) == (
        "\\noindent\\textbf{T} C.\n\n\\smallskip\n"
        "{\\scriptsize\\setlength{\\tabcolsep}{3pt}\\noindent\n\\begin{tabular}{lr}\n\\hline\n"
        "cell & all \\\\\n\\hline\nx & \\textbf{0.5 (0-1)} \\\\\n\\hline\n\\end{tabular}}\n"
    )
    text = tables.latex(TABLE)
    bare = re.sub(r"\\[&%$#_{}\\]", "", text)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[#$^~<>|]|(?<!\\)%", bare) and "{[}" in text
    row = next(line for line in bare.splitlines() if "textbf{1" in line)
    assert row.count("&") == 1  # two columns, whatever is written in them


def test_html():
    text = tables.page(TABLE)
    assert "<b>a_b" in text and '<b>"x"' not in text and "&lt;b&gt;&quot;x&quot;" in text
    assert text.count("<td") == 1 and "background:#" in text
    assert tables.page(TABLE, folded=True).startswith("<details>\n<summary>a_b &amp;")


def test_a_terminal_gets_columns():
    table = Table(
        "", "", ("cell", "two words"), ((Entry("long name"), Entry("1")), (Entry("x"), Entry("22")))
    )
    assert tables.terminal(table).splitlines() == [
        "             two",
        "cell       words",
        "long name      1",
        "x             22",
    ]


def test_an_option_of_the_sweep_is_shown(found):
    swept = plan("--tokenizers", "digits,bytes", "--sweep", "optimizer.epsilon=1e-8,1e-7")
    cells = tuple(
        dataclasses.replace(
            f,
            cell=cell,
            option={"optimizer.epsilon": "1e-7"},
            tried={"epsilon=1e-8": 0.25, "epsilon=1e-7": 0.5},
        )
        for f, cell in zip(found.findings["examples"], swept.cells, strict=False)
    )
    shown = entries(sections.costs(Results(swept, {"examples": cells}, {"examples": {}}), "examples"))
    assert shown["bytes"]["setting"].text == "epsilon=1e-7 (epsilon=1e-8: 0.250; epsilon=1e-7: 0.500)"
