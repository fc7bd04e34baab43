"""Write results.md from run directories: `python docs/results.py [FOLDER OF RUNS]`.

With a folder, the figures of every row whose run lies there are read and kept in results.json; without one
the page is written from that file alone. `--commands` prints what makes the runs.
"""

import csv
import json
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from results_rows import COMPARISONS, LABORATORY, PUBLISHED_LOSSES, ROWS, SECTIONS
from results_search import SEARCHES
from results_search import lines as search_lines
from results_search import read as read_search
from results_types import Figure, Row

from jaxgpt.comparison import findings, sections
from jaxgpt.comparison import page as comparison_page
from jaxgpt.comparison import results as comparison_results
from jaxgpt.comparison.cells import FILE, Plan
from jaxgpt.core import tables
from jaxgpt.core.tables import plain
from jaxgpt.lab import Faithfulness

HERE = Path(__file__).resolve().parent
KEPT = HERE / "results.json"
PAGE = HERE / "results.md"
PICTURES = HERE / "strings"
SETS = HERE / "constructions"

_INTRODUCTION = """\
# Results

<!-- Written by docs/results.py from run directories; run the commands and it again. -->

The command above each table makes it again, from the root of the repository. Figures are exact match on
held-out questions, unless the row says otherwise: the mean over seeds with its 95 % interval, the median,
then every seed. The interval says what other seeds would give: it holds for shares of any distribution, so
it is wide for four seeds even where all agree ([how](compare.md#how-each-interval-is-made)). Time is that of
all training steps, of all seeds together. `2 x cpu` means that seeds were spread over two cores, with
XLA_FLAGS=--xla_force_host_platform_device_count=2 in the environment. Published figures stand beside ours
with their setting. Models, data and compute differ, so neither column beats the other.
"""

#: What the first comparison says, in a person's words.
_ANSWER = """\
In short: sums are learned soonest where digits of equal weight are easy to find. Numbers padded to one length
(`fixed:7`) and digits that carry their weight (`10e`) have 99 % right with every seed; plain digits have 98 %
and get there with none. Pairs of digits lose a little if they are cut from the right, and more than half if
they are cut from the left. Groups of three are far from learned from either side, so which side is better for
them stays open. [GPT-2's own byte pairs](#byte-pairs-and-numbers-that-are-one-token-on-the-same-sums) have 11
% right. A number as one token, read by its digits (`fone:7`), learns from the fewest examples and a tenth of
the FLOPs, but one seed of eight never does. Most wrong answers of digits are off by one carry. Each
difference that is called sure is so alone; for seven at once eight seeds are too few. All have one learning
rate; [one chosen for each](compare.md#a-sweep-from-plan-to-report) may move what lies close."""

_DIFFERENCES = """\
In short: differences rank much as sums do. Numbers padded to one length (`fixed:6`) are right with every
seed, after two thirds of the examples (half of the seeds after 43 %); no other tokenization has 99 % with
every seed. Digits that carry their weight (`10e`) are next, then plain digits. Pairs of digits that are cut
from the right cannot be told from them: with two seeds of six they are better, with others far worse. Cut
from the left, pairs lose more than half, and groups of three lose most, from either side. Half of the seeds
of one token a number (`fone:6`) learn differences."""

_PRODUCTS = """\
In short: products are the other way round. Groups of digits are surely better cut from the left: by 13 points
with groups of three, by 6 with pairs. The first digits of a product follow from the first digits of its
factors, and answers are written from there. Numbers padded to one length (`fixed:6`) are surely ahead, as
with differences, but not by far: 48 % right. Single digits, `10e` and pairs from the left cannot be
told apart, at 43 to 45 %; one token a number (`fone:6`) is 3 points behind digits, for 39 % of the FLOPs.
Of two factors of three digits none has more than 4 %, and no seed is near 99 %, so what is best in the end
stays open."""

_DECIMALS = """\
In short: to find the larger of two decimals, plain digits are best, with 98 % right; each of the others is
surely behind. What helps a sum hurts here, perhaps since padding (`fixed:4`) and weights (`10e`) count a
digit's place from the end of its run, and behind the point places count from its beginning. Pairs lose 4
points and groups of three 10; from which side they are cut makes no sure difference. One token a number
(`fone:3:4`) loses 9 points. No seed has 99 % yet."""

_READINGS = """\
In short: of products of decimals of one to three digits, numbers of six digits and an exponent (`p10:6`)
have 39 % right and plain digits 29 %, which six seeds cannot tell apart (where the longer one has three
digits, 20 % and 9 %, surely). Numbers that are one token are surely behind
digits: read digit by digit (`fone:4:6`) 7 %, as bits (`bittokens`) 4 %, as a value (`xval:6`) none. So it is
by closeness (log sMAPE): .47 and .39 against .18, .10 and .10. The paper on BitTokens (arXiv 2510.06824) has
BitTokens .99, digits .89, FoNE .30 and xVal .09, from one seed of each and far more training. After 128,000
examples its order of the three others stands with six seeds, and BitTokens is not ahead."""

_OTHERS = """\
In short: of these sums, with equal examples, plain digits have 98 % right and GPT-2's byte pairs 11 %. Pairs
that were learned from the sums themselves (`bpe:512`) have 17 %. Six seeds agree, so both are surely behind.
Pairs of digits cut from one side do better (above: 95 % from the right, 38 % from the left): in byte pairs,
which digits share a token changes from number to number. Numbers that are one token are no better where they
are read as bits (`bittokens`, 10 %) or as a value (`xval`, whose answers are near, and 0.1 % right). The one
token that is learned is read digit by digit (`fone:7` above)."""

_POSITIONS = """\
In short: only positions that are told which digits have one weight (`coupled`) learn sums of 20 digits in
1,000 steps. Every seed does; of the others none has 1 % right. Of sums of 30 digits `coupled` has half
right in the mean: five seeds 49 to 92 %, three 8 to 17 %; of 40 digits it has none. Operands are padded to
one length and answers begin with the ones. `abacus` counts the digits of a number from its left, so its k-th
digit has another weight in operands than in answers. With [every number turned
round](#abacus-with-the-ones-first), as in its paper, it does not learn them in 1,000 steps either; the paper
takes 20 million examples, 300 times as many. Its offsets of up to 100 and 128 vectors are the paper's too,
where `coupled` has offsets of up to 20 and 64 vectors; fewer were not tried."""

_DECAY = """\
E10 of A. Z. Wagner's lecture on strings ([the others](#strings-and-their-rules)) asks what weight decay does.
In short: it changes what is known by heart, and not when the rule is learned. From 2,000 lines of sums, each
seen 192 times, all seeds go from no line right to more than four of five between 60,000 and 150,000 examples,
with any decay. With a decay of 1 the loss of held-out lines is surely lower than without, and in the mean
more of what is written is new (78 % of the lines against 63 %). Of new lines as many keep the rule (79 and
80 %), and of all lines surely fewer (84 % against 88 %), since copies are right."""

#: The text before a comparison, by its name.
_BEFORE = {
    "which_tokenization": _ANSWER,
    "which_tokenization_subtraction": _DIFFERENCES,
    "which_tokenization_multiplication": _PRODUCTS,
    "which_tokenization_comparison": _DECIMALS,
    "which_tokenization_decimals": _READINGS,
    "which_tokenization_others": _OTHERS,
    "which_positions": _POSITIONS,
    "weight_decay_sums": _DECAY,
}


def read(row: Row, folder: Path) -> dict[str, Any] | None:
    """The figures of a row from its run directory; None where there is no finished run."""
    path = folder / row.run
    if not (path / "outcome.json").exists():
        return None
    outcome = json.loads((path / "outcome.json").read_text(encoding="utf-8"))
    for name in row.pictures:
        shutil.copyfile(path / name, PICTURES / row.picture(name))
    figures = {}
    for figure in row.figures:
        evaluation = json.loads((path / figure.file).read_text(encoding="utf-8"))
        figures[figure.label] = estimate(evaluation, figure)
    return {"figures": figures} | {
        name: outcome[name] for name in ("steps", "seconds", "parameters", "machine")
    }


def read_comparison(row: Row, folder: Path, report: Path) -> dict[str, Any] | None:
    """What a comparison found; its report is copied to a folder. None where there is none."""
    path = folder / row.run
    if not (path / FILE).exists() or not (path / "report.md").exists():
        return None
    found = comparison_results.read(Plan.read(path), path)
    shutil.rmtree(report, ignore_errors=True)
    (report / "pictures").mkdir(parents=True)
    for file in (path / "report.md", path / "results.csv", *sorted((path / "pictures").glob("*.svg"))):
        shutil.copyfile(file, report / file.relative_to(path))
    return {
        "setting": comparison_page.setting(found),
        "findings": {
            sections.BUDGET_NAMES[budget]: findings.sentences(found, budget) for budget in found.plan.budgets
        },
    }


def read_laboratory(row: Row, folder: Path) -> dict[str, Any] | None:
    """Losses and the trust in methods of attribution that `jaxgpt lab` found; None where there are none."""
    path = folder / row.run
    if not (path / "report.html").exists():
        return None
    losses = [
        {name: told[name] for name in ("trained on", "evaluated on", "mean", "low", "high", "seeds")}
        for told in _csv(path / "numbers" / "losses.csv")
        if told["unit"] == "nats a character"
    ]
    methods = {
        name: _faithfulness(path / "numbers" / f"faithfulness-{name}.csv") for name in PUBLISHED_LOSSES
    }
    told = [json.loads((path / "runs" / n / "outcome.json").read_text("utf-8")) for n in PUBLISHED_LOSSES]
    seconds = sum(outcome["seconds"] for outcome in told)
    return {"losses": losses, "methods": methods, "seconds": seconds} | {
        name: told[0][name] for name in ("steps", "parameters", "machine")
    }


def _csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _faithfulness(path: Path) -> list[str]:
    """The lines of the table of methods."""
    curves: dict[str, dict[str, list[list[float]]]] = {}
    for told in _csv(path):
        each = curves.setdefault(told["method"], {}).setdefault(told["curve"], [])
        if float(told["share"]) == 0:
            each.append([])
        each[-1].append(float(told["probability"]))
    both = (np.asarray([each[kind] for each in curves.values()]) for kind in ("deletion", "insertion"))
    return Faithfulness(tuple(curves), *both).table().splitlines()


def estimate(evaluation: dict[str, Any], figure: Figure) -> dict[str, Any]:
    """Mean, interval, every seed and the number of questions of one figure.

    Raises:
      KeyError: if the evaluation has no such figure; the message holds those it has.
    """
    if figure.path == "all":
        part = evaluation
    elif figure.path.startswith("exam/"):  # others' questions: the first candidate is the run
        part = evaluation["results"][0][figure.path.removeprefix("exam/")] | {"n": evaluation["questions"]}
    else:
        kind, _, name = figure.path.partition("/")
        listed = evaluation["errors"][kind] if kind in ("places", "wrong") else evaluation[kind]
        by = "kind" if kind == "wrong" else "group"
        found = {row[by]: row for row in listed} if isinstance(listed, list) else listed
        if name not in found:
            raise KeyError(f"{figure.path} is not in the evaluation, which has {kind}: {', '.join(found)}")
        part = found[name]
        if kind == "wrong":  # a share of the wrong answers of all seeds
            part = part | {"n": round(sum(1 - share for share in evaluation["per_seed"]) * evaluation["n"])}
        if kind == "likelihood":
            part = part["loss"] | {"n": part["tokens"]}
    mean = next(part[name] for name in ("mean", "exact_match", "share") if name in part)
    return {
        "mean": mean,
        "interval": part["interval"],
        "per_seed": part["per_seed"],
        "n": part["n"] if "n" in part else evaluation["n"],
    }


def page(kept: dict[str, Any]) -> str:
    """The whole page."""
    lines, section = [_INTRODUCTION], ""
    for name, row in COMPARISONS.items():
        lines += [f"## {row.section}", ""] if row.section != section else []
        lines += [_BEFORE[name], ""] if name in _BEFORE else []
        lines += _comparison(name, row, kept.get(row.run))
        section = row.section
    lines += _laboratory(LABORATORY, kept.get(LABORATORY.run))
    for section, introduction in SECTIONS.items():
        lines += [f"## {section}", ""]
        lines += [introduction, ""] if introduction else []
        for row in (row for row in ROWS if row.section == section):
            lines += _row(row, kept.get(row.run))
    lines += search_lines(SEARCHES, kept)
    return "\n".join(lines).rstrip() + "\n"


def _comparison(name: str, row: Row, found: dict[str, Any] | None) -> list[str]:
    """What a comparison found, and where its report stands."""
    lines = [f"### {row.title}", "", "```sh", row.command, "```", ""]
    if found is None:
        return [*lines, "Not run.", ""]
    lines += [f"{found['setting']} {row.note}".rstrip(), ""]
    for budget, sentences in found["findings"].items():
        lines += [f"At {budget}:", "", *(f"- {sentence}" for sentence in sentences), ""]
    return [*lines, f"[The whole report]({name}/report.md), and [every seed]({name}/results.csv).", ""]


def _laboratory(row: Row, found: dict[str, Any] | None) -> list[str]:
    lines = [f"## {row.section}", "", f"### {row.title}", "", "```sh", row.command, "```", ""]
    if found is None:
        return [*lines, "Not run.", ""]
    rows = []
    for told in found["losses"]:
        mean, low, high = (f"{float(told[name]):.3f}" for name in ("mean", "low", "high"))
        seeds = " ".join(f"{float(value):.3f}" for value in told["seeds"].split())
        trained, evaluated = told["trained on"], told["evaluated on"]
        published = f"{PUBLISHED_LOSSES[trained][evaluated]}"
        rows.append((trained, evaluated, f"{mean} ({low}-{high})", seeds, published))
    header = ("trained on", "evaluated on", "ours", "every seed", "the document")
    lines += [*tables.grid(header, rows), "", row.note, "", _made(found), ""]
    lines += [
        "Eight methods say which characters of a prompt speak for the next one. Which to trust, over 60 "
        "prompts of 32 held-out characters ([how](lab.md#which-method-to-trust)):",
        "",
    ]
    for name, table in found["methods"].items():
        lines += [f"The model of {name}:", "", "```text", *table, "```", ""]
    return lines


def _made(found: dict[str, Any]) -> str:
    """How large, how long and on what."""
    machine = found["machine"]
    return (
        f"{found['parameters']:,} parameters, {found['steps']:,} steps in {_minutes(found['seconds'])} on "
        f"{machine['cores']} cores ({plain(machine['processor'])}; {plain(machine['device'])}), "
        f"jax {machine['jax']}."
    )


def _row(row: Row, found: dict[str, Any] | None) -> list[str]:
    lines = [f"### {row.title}", "", "```sh", row.command, *row.also, "```", ""]
    rows = []
    for figure in row.figures:
        value = None if found is None else found["figures"].get(figure.label)
        cells = ("not run", "", "") if value is None else _cells(value, figure)
        rows.append((figure.label, *cells, figure.target, figure.published or "none known to us"))
    lines += [*tables.grid(("figure", "ours", "every seed", "n", "target", "published"), rows), ""]
    if found is not None:
        lines.append(_made(found))
    lines += [row.note] if row.note else []
    return [*lines, ""]


def _cells(value: dict[str, Any], figure: Figure) -> tuple[str, str, str]:
    def shown(number: float | None) -> str:
        if number is None:  # a share of nothing
            return "-"
        if not figure.percent:
            return f"{number:.{figure.digits}g}"
        # 99.996 % is no 100 %: only what is wholly right reads 100.
        return "100" if number == 1 else f"{min(100 * number, 99.99):.2f}"

    known = [number for number in value["per_seed"] if number is not None]
    unit = " %" if figure.percent else ""
    interval = value["interval"]
    reach = "" if interval is None else f" ({shown(interval[0])}-{shown(interval[1])})"
    median = shown(statistics.median(known))
    return (
        f"{shown(value['mean'])}{unit}{reach}, median {median}",
        " ".join(map(shown, value["per_seed"])),
        "" if figure.some else f"{value['n']:,}",
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def main(arguments: list[str]) -> int:
    """Read runs, if a folder is given, and write the page."""
    if arguments == ["--commands"]:
        for row in (*COMPARISONS.values(), LABORATORY, *ROWS):
            print(row.command, *row.also, sep="\n")
        print(*(row.command for row in SEARCHES), sep="\n")
        return 0
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for folder in map(Path, arguments):
        if not folder.is_dir():
            print(f"error: {folder} is no folder of runs", file=sys.stderr)
            return 2
        for name, row in COMPARISONS.items():
            if (found := read_comparison(row, folder, HERE / name)) is not None:
                kept[row.run] = found
                print(f"read {folder / row.run}")
        if (found := read_laboratory(LABORATORY, folder)) is not None:
            kept[LABORATORY.run] = found
            print(f"read {folder / LABORATORY.run}")
        for row in ROWS:
            if (found := read(row, folder)) is not None:
                kept[row.run] = found
                print(f"read {folder / row.run}")
        for row in SEARCHES:
            if (found := read_search(row, folder, SETS)) is not None:
                kept[row.run] = found
                print(f"read {folder / row.run}")
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
