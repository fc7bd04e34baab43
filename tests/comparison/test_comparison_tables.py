"""Tables and sentences against figures computed by hand, and text that is shown as it stands."""

import dataclasses
import re
import shutil
import subprocess

import pytest
from comparison_building import BITS, OVERALL, plan, row

from jaxgpt.comparison import findings, sections
from jaxgpt.comparison.curves import Curve
from jaxgpt.comparison.results import Results
from jaxgpt.core import tables
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.intervals import Estimate, bounded_mean, exact_share, paired


def entries(table):
    """What a table shows, by row and column."""
    return {row[0].text: dict(zip(table.header[1:], row[1:], strict=True)) for row in table.rows}


def of_mean(values):
    """The interval of a mean of shares, as tables show it."""
    low, high = bounded_mean(values)
    return f"{low:.3f}-{high:.3f}"


def test_exact_match_with_intervals_and_bold_where_the_difference_is_sure(found):
    shown = entries(sections.exact_match(found, "examples"))
    assert shown["digits (baseline)"]["all"] == Entry("0.920", "", of_mean(OVERALL["digits"]))
    assert shown["digits:2:right"]["all"] == Entry("0.970", "better", of_mean(OVERALL["digits:2:right"]))
    assert shown["digits:2:left"]["all"] == Entry("0.520", "worse", of_mean(OVERALL["digits:2:left"]))
    assert list(shown["digits:2:left"]) == [
        "all",
        "equal lengths",
        "lengths differ by 1-2",
        "4+4 digits (beyond training)",
    ]
    assert not shown["digits:2:right"]["equal lengths"].sure
    assert shown["digits:2:right"]["4+4 digits (beyond training)"].text == "0.006"
    assert (
        "Not shown, since every cell has 0 there: 5+5 digits."
        in sections.exact_match(found, "examples").caption
    )


def test_differences_are_paired_by_seed(found):
    shown = entries(sections.differences(found, "examples"))
    assert "digits (baseline)" not in shown and "digits" not in shown
    # Each seed's difference is between 0.04 and 0.06, half of them 0.05 at most.
    assert shown["digits:2:right"]["all"] == Entry("+0.050", "better", "+0.040 to +0.060")
    assert shown["digits:2:left"]["all"] == Entry("-0.400", "worse", "-0.400 to -0.400")
    # Eight of eight have one sign: 2 / 2**8, and twice that for the first of two cells.
    assert [shown["digits:2:left"][name].text for name in ("p", "p after Holm")] == ["0.008", "0.016"]
    assert not shown["digits:2:left"]["4+4 digits (beyond training)"].sure


def test_who_learned_it_and_how_soon(found):
    shown = entries(sections.learning(found, "examples"))
    _, high = exact_share(0, 8)
    assert shown["digits (baseline)"]["seeds that learned it"] == Entry("0 of 8", detail=f"0.00-{high:.2f}")
    assert shown["digits (baseline)"]["examples to 0.9"] == Entry("160", detail="160 to 160; 8 of 8")
    assert shown["digits (baseline)"]["examples to 0.99"] == Entry(">160", detail="0 of 8")
    assert shown["digits:2:right"]["seeds that learned it"].text == "1 of 8"
    # Six seeds at the second look of 8 examples a step, two never.
    assert shown["digits:2:right"]["examples to 0.9"] == Entry("16", detail="16 to >160; 6 of 8")
    flops = found.findings["examples"][1].cell.flops
    assert shown["digits:2:right"]["FLOPs to 0.9"].text == sections.amount(2 * flops)
    assert shown["digits:2:left"]["examples to 0.9"] == Entry(">160", detail="0 of 8")
    blind = [dataclasses.replace(f, curve=Curve((), (), ())) for f in found.findings["examples"]]
    assert (
        sections.learning(dataclasses.replace(found, findings={"examples": tuple(blind)}), "examples") is None
    )


def windowed(finding):
    """The same finding of a model with a window."""
    experiment = finding.cell.experiment
    model = dataclasses.replace(experiment.model, window=4)
    cell = dataclasses.replace(finding.cell, experiment=dataclasses.replace(experiment, model=model))
    return dataclasses.replace(finding, cell=cell)


def test_costs(found):
    shown = entries(sections.costs(found, "examples"))["digits (baseline)"]
    facts = found.plan.baseline.facts
    assert shown["time"].text == "1:05" and shown["tokens decoded a second"].text == "1,234"
    assert shown["bits per byte"].whole == "1.250 (1.092-1.408)"  # sqrt(0.25 / 7) x 2.365 / sqrt(8)
    assert shown["steps"].text == "20" and shown["characters a token"].text == "1.00"
    assert float(shown["FLOPs"].text) == pytest.approx(facts.flops * 8 * 20, rel=1e-2)
    assert "less is better; bold" in sections.costs(found, "examples").caption
    blank = [dataclasses.replace(f, bits_per_byte=None) for f in found.findings["examples"]]
    lacking = sections.costs(dataclasses.replace(found, findings={"examples": tuple(blank)}), "examples")
    assert entries(lacking)["digits (baseline)"]["bits per byte"].text == "-"
    assert "- where a value has no likelihood" in lacking.caption
    near = [windowed(finding) for finding in found.findings["examples"]]
    of_few = sections.costs(dataclasses.replace(found, findings={"examples": tuple(near)}), "examples")
    note = "; where tokens do not meet all T of a row, those that they are multiplied with"
    whole = sections.costs(found, "examples").caption
    assert note not in whole and of_few.caption == whole.replace("for padded rows", f"for padded rows{note}")
    flops = entries(sections.costs(found, "flops"))
    assert flops["digits (baseline)"]["steps"].text == "20" and flops["digits:2:right"]["steps"].text != "20"


def test_every_group_has_a_row(found):
    table = sections.by_group(found, "examples")
    shown = entries(table)
    assert list(shown) == ["1+1 digits", "1+2 digits", "2+2 digits"] + [
        f"{n}+{n} digits (beyond training)" for n in (4, 5)
    ]
    assert shown["1+2 digits"]["questions"].text == "50"
    left = shown["1+2 digits"]["digits:2:left"]
    assert left == Entry("0.120", "worse", of_mean((0.1, 0.12, 0.14, 0.12) * 2))
    assert table.header[2:] == ("digits (baseline)", "digits:2:right", "digits:2:left")


def test_the_findings_say_who_is_best_what_is_sure_and_where_it_hurts(found):
    rates, best, soonest, cheapest, against, sides, hurts, lengths = findings.sentences(found, "examples")
    assert rates == (
        "Seeds that learned it, with at least 0.99 of all questions right: digits:2:right 1 of 8, digits 0 "
        "of 8, digits:2:left 0 of 8."
    )
    low, high = bounded_mean(OVERALL["digits:2:right"])
    assert best == (
        f"Best: digits:2:right, with 0.970 ({low:.3f} to {high:.3f}) of all questions right, surely ahead of "
        "the next, digits, by +0.050 (+0.040 to +0.060)."
    )
    assert soonest == (
        "Half of the seeds had 0.99 of the validation questions right: digits:2:right after 160 examples; in "
        "2 cells half of the seeds never got there."
    )
    assert (
        "surely better: digits:2:right +0.050" in against and "surely worse: digits:2:left -0.400" in against
    )
    needs = [finding for finding in found.findings["examples"] if finding.cell.name == "digits:2:right"]
    flops = needs[0].needs(0.9).median * needs[0].cell.flops
    assert cheapest.startswith("By training FLOPs of a seed, until half of the seeds had 0.9 of the ")
    assert f"digits:2:right {sections.amount(flops)}" in cheapest
    assert sides.startswith("From which side: digits:2:right is surely better than digits:2:left: +0.450")
    assert "on equal lengths, not sure" in sides and "+0.780" in sides
    assert "with every seed: digits:2:left 0.120 on lengths differ by 1-2 against 0.985 on equal" in hurts
    assert lengths.endswith("digits, digits:2:right and digits:2:left at 1 digit.")


def over(found, **shares):
    """The results at equal examples, with each seed's exact match on all questions replaced."""
    cells = [
        dataclasses.replace(f, overall=row("all", shares[f.cell.slug])) for f in found.findings["examples"]
    ]
    return Results(found.plan, {"examples": tuple(cells)}, {"examples": {}})


def test_where_seeds_form_two_groups_the_rate_leads_and_words_say_so(found):
    slugs = [f.cell.slug for f in found.findings["examples"]]
    shares = dict(zip(slugs, [(1.0,) * 8, (1.0,) * 6 + (0.126, 0.13), (0.3,) * 8], strict=True))
    rates, groups, best, *_ = findings.sentences(over(found, **shares), "examples")
    assert rates.endswith("right: digits 8 of 8, digits:2:right 6 of 8, digits:2:left 0 of 8.")
    assert groups == (
        "The seeds of digits:2:right form two groups, so its mean describes none of them: 6 of 8 have 1.000 "
        "of all questions right, 2 have 0.126 to 0.130."
    )
    assert best.endswith("not surely ahead of digits:2:right (0.782).")


def test_a_higher_mean_is_not_surely_ahead_where_most_seeds_have_less(found):
    slugs = [f.cell.slug for f in found.findings["examples"]]
    shares = dict(zip(slugs, [(0.5,) * 8 + (1.0,), (0.51,) * 8 + (0.0,), (0.3,) * 9], strict=True))
    told = findings.sentences(over(found, **shares), "examples")
    (best,) = [sentence for sentence in told if sentence.startswith("Best: digits, with 0.556")]
    assert "not surely ahead of digits:2:right (0.453)" in best


def test_where_it_hurts_is_told_of_all_seeds_alone(found):
    """Not of a mean that one seed makes, nor of most seeds."""
    less, more = (0.4,) * 8, (0.5,) * 7 + (0.39,)
    headings = (row("equal lengths", less), row("lengths differ by 1-2", more))
    cells = [dataclasses.replace(f, headings=headings) for f in found.findings["examples"]]
    told = Results(found.plan, {"examples": tuple(cells)}, {"examples": {}})
    assert (
        "Where it hurts: no cell has less right with every seed under one heading than under another."
        in findings.sentences(told, "examples")
    )


def test_where_nothing_or_everything_was_learned_nobody_is_best(found):
    slugs = [f.cell.slug for f in found.findings["examples"]]
    little = dict(zip(slugs, [(0.099,) * 8, (0.026,) * 8, (0.006,) * 8], strict=True))
    assert findings.sentences(over(found, **little), "examples") == [
        "Nothing was learned that answers could show: every seed of every cell has less than 0.1 of all "
        "questions right, the best one, of digits, 0.099. Train longer, with --training.steps 80, four times "
        "as long, or ask for less."
    ]
    much = dict(zip(slugs, [(0.991,) * 8, (1.0,) * 8, (0.999,) * 8], strict=True))
    assert findings.sentences(over(found, **much), "examples") == [
        "Every seed of every cell has more than 0.99 of all questions right, so these questions tell none "
        "apart. Ask harder ones, or train shorter. Examples that half of the seeds needed to 0.99 of the "
        "validation questions: digits:2:right after 160."
    ]
    # The same of what is not sure: nothing is bold, whoever has more.
    shown = entries(sections.exact_match(over(found, **little), "examples"))
    assert not any(entry.sure for entries in shown.values() for entry in entries.values())
    assert sections.differences(over(found, **much), "examples") is None


def test_whether_anything_was_learned_is_asked_of_each_seed(found):
    """One seed that has learned it, or one that has not, is a difference that a mean hides."""
    slugs = [f.cell.slug for f in found.findings["examples"]]

    def learned(*shares):
        return over(found, **dict(zip(slugs, shares, strict=True))).learned("examples")

    low, high = (0.01,) * 16, (1.0,) * 16
    assert learned(low, low, low) == "nothing" and learned(high, high, high) == "everything"
    assert learned(low, (0.01,) * 15 + (1.0,), low) == "something"  # of a mean of 0.07
    assert learned(high, (1.0,) * 15 + (0.9,), high) == "something"  # of a mean of 0.994


def test_bold_losses_are_said_to_be_no_answers_where_nothing_was_learned(found):
    """Bits per byte of the second cell are surely fewer; of the third they are not."""
    cells = [
        dataclasses.replace(f, overall=row("all", (0.02,) * 8), bits_per_byte=Estimate(1.2, None, bits))
        for f, bits in zip(found.findings["examples"], (BITS, (0.5,) * 8, BITS), strict=True)
    ]
    told = Results(found.plan, {"examples": tuple(cells)}, {"examples": {}})
    first, second = findings.sentences(told, "examples")
    assert first.startswith("Nothing was learned that answers could show")
    assert "a difference of losses, or of scores beside exact match; it is none of right answers" in second
    costs = sections.costs(told, "examples")
    assert [row[12].sure for row in costs.rows] == ["", "better", ""]
    assert "a difference of losses, not of answers. Bold is not corrected" in costs.caption
    # 2 / 2**8 of eight seeds that agree, twice that of two cells.
    assert "after Holm's correction for 2 sure are: digits:2:right." in costs.caption


def test_what_holm_leaves_of_bold_figures_is_told():
    sure, unsure = paired([1.0] * 6, [0.0] * 6), paired([1.0] * 6, [0.0] * 5 + [2.0])
    assert sure.p == 2 / 2**6  # and 0.0625 of two
    assert sections.uncorrected({"a": None, "b": sure}).endswith("for 1 sure are: b.")
    assert sections.uncorrected({"b": sure, "c": unsure}).endswith("for 2 sure are: none.")
    assert sections.uncorrected({"a": None, "c": unsure}) == ""


def test_the_findings_say_what_changes_with_the_budget(found):
    best, *_, changed = findings.sentences(found, "flops")
    assert best.endswith("not surely ahead of digits:2:right (0.920).")
    assert changed == (
        "Otherwise than at equal examples: digits:2:right is not told apart from the baseline instead of "
        "surely better."
    )


def test_longer_is_the_steps_of_the_baseline_whatever_other_cells_get(found):
    """At equal FLOPs cells have other steps, and `--training.steps` sets those of the baseline."""
    cells = [
        dataclasses.replace(f, overall=row("all", (0.02,) * 8), steps=f.steps + 37)
        for f in found.findings["flops"]
    ]
    told = Results(found.plan, {"examples": (), "flops": tuple(cells)}, {"examples": {}, "flops": {}})
    (sentence,) = findings.sentences(told, "flops")
    assert "--training.steps 80, four times as long" in sentence


def test_no_change_is_told_where_the_first_budget_told_nothing(found):
    nothing = [dataclasses.replace(f, overall=row("all", (0.02,) * 8)) for f in found.findings["examples"]]
    told = dataclasses.replace(found, findings=found.findings | {"examples": tuple(nothing)})
    assert findings.sentences(told, "examples")[0].startswith("Nothing was learned")
    assert not any("equal examples" in sentence for sentence in findings.sentences(told, "flops"))


def test_nothing_right_and_nothing_trained(found):
    nothing = row("all", (0.0,) * 8)
    cells = tuple(dataclasses.replace(f, overall=nothing) for f in found.findings["examples"])
    empty = Results(found.plan, {"examples": cells[:2]}, {"examples": {"digits:2:left": "not finite"}})
    first, second = findings.sentences(empty, "examples")
    assert first.startswith("Nothing was learned") and second == "No result: digits:2:left (not finite)."
    none = Results(found.plan, {"examples": ()}, {"examples": {}})
    assert findings.sentences(none, "examples") == [] and sections.tables(none, "examples") == []


def test_one_seed_is_never_sure(found):
    def first(row):
        return dataclasses.replace(
            row, exact_match=row.exact_match._replace(per_seed=row.exact_match.per_seed[:1])
        )

    cells = tuple(dataclasses.replace(f, overall=first(f.overall)) for f in found.findings["examples"])
    single = Results(found.plan, {"examples": cells, "flops": ()}, {"examples": {}, "flops": {}})
    assert not any(entry["all"].sure for entry in entries(sections.exact_match(single, "examples")).values())
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
TABLE = Table(NASTY, NASTY, ("cell", NASTY), ((Entry(NASTY, "better", NASTY), Entry("1", "worse", "0-2")),))


def test_markdown():
    simple = Table("Title", "Caption.", ("cell", "all"), ((Entry("x"), Entry("0.5", "better", "0-1")),))
    assert tables.markdown(simple) == (
        "### Title\n\nCaption.\n\n| cell | all |\n| :-- | --: |\n| x | **0.5 (0-1)** |\n"
    )
    line = tables.markdown(TABLE).splitlines()[-1]
    unescaped = re.sub(r"\\(.)", "", line)
    assert len(re.findall(r"\|", unescaped)) == 3 and "<" not in unescaped and "`" not in unescaped
    assert re.sub(r"\\(.)", r"\1", line).count(NASTY) == 2


def test_latex():
    simple = Table("T", "C.", ("cell", "all"), ((Entry("x"), Entry("0.5", "better", "0-1")),))
    assert tables.latex(simple, "t").splitlines() == [
        r"\begin{table}[htbp]",
        r"\centering",
        r"\caption{\textbf{T.} C.}",
        r"\label{tab:t}",
        r"\scriptsize\setlength{\tabcolsep}{3pt}",
        tables._FIT + r"{\begin{tabular}{lr}",
        r"\toprule",
        r"cell & all \\",
        r"\midrule",
        r"x & \textbf{0.5 (0-1)} \\",
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    text = tables.latex(TABLE, "nasty")
    bare = re.sub(r"\\[&%$#_{}\\]", "", text.replace(tables._FIT, ""))
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[#$^~<>|]|(?<!\\)%", bare) and "{[}" in text
    row = next(line for line in bare.splitlines() if "textbf{1" in line)
    assert row.count("&") == 1  # two columns, whatever is written in them


def test_headers_of_latex_stand_on_several_lines():
    entry = Entry("1")
    wide = Table("T", "C.", ("a cell of many words", "parameters without embeddings", "p"), ((entry,) * 3,))
    (line,) = [line for line in tables.latex(wide, "t").splitlines() if "shortstack" in line]
    assert line == (
        r"\shortstack[l]{a cell of\\many words} & \shortstack[r]{parameters\\without\\embeddings} & p \\"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("café", r"caf\'{e}"),
        ("naïve Ñ", r"na\"{i}ve \~{N}"),
        ("中", r"\textbackslash{}u4e2d"),
        ("ß", r"\textbackslash{}xdf"),
        ("\U0001f600", r"\textbackslash{}U0001f600"),
    ],
)
def test_latex_is_given_no_character_that_it_has_no_font_for(text, written):
    assert tables.tex(text) == written


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_and_no_table_leaves_the_page(found, tmp_path):
    swept = ("epsilon=1e-7 (epsilon=1e-8: 0.250; epsilon=1e-7: 0.500)",)
    costs = sections.costs(found, "examples")
    wide = dataclasses.replace(
        costs,
        header=(*costs.header, "setting"),
        rows=tuple((*row, *map(Entry, swept)) for row in costs.rows),
    )
    others = "é 中 \U0001f600 " + "9" * 5000
    beyond = Table("Others", others[:20], ("cell", others), ((Entry(others), Entry("1")),))
    made = [*sections.tables(found, "examples"), sections.by_group(found, "examples"), wide, TABLE, beyond]
    written = "\n".join(tables.latex(table, f"t{i}") for i, table in enumerate(made))
    packages = r"\usepackage{booktabs,graphicx}\sloppy"
    (tmp_path / "paper.tex").write_text(
        f"\\documentclass{{article}}{packages}\n\\begin{{document}}\n{written}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
    )
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert (tmp_path / "paper.pdf").is_file() and "Overfull \\hbox" not in log


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


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        ((), "at no length"),
        ((1,), "at 1 digit"),
        ((2, 3, 4), "at 2 to 4 digits"),
        ((1, 3, 4, 7), "at 1, 3 to 4 and 7 digits"),
    ],
)
def test_lengths_are_told_as_ranges(lengths, told):
    assert findings._of_digits(lengths) == told
