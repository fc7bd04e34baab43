"""The rows of results.md about strings and their rules: the experiments E0 to E10 of Wagner's lecture."""

from results_types import Figure, Row

SECTION = "Strings and their rules"
INTRODUCTION = (
    'Experiments of A. Z. Wagner\'s lecture "Transformers and Makemore" (Hausdorff School, 2023), numbered '
    "in its order. A model writes strings from nothing at temperature 1; the share of them that keep a rule "
    "which it was never told is asked. [A page](strings.md) shows where the models look. The lecture gives "
    "one figure each, from about 1,000 strings, and seldom its settings."
)

_KEPT = "strings that keep the rule"
_NEW = "the same of new strings, which are in no training set"


def _rule(published: str, target: str = "") -> tuple[Figure, Figure]:
    return (
        Figure(_KEPT, "all", target, published),
        Figure(_NEW, "summary/rule kept, of new strings"),
    )


def _row(
    title: str,
    name: str,
    options: str,
    figures: tuple[Figure, ...],
    *,
    note: str = "",
    run: str = "",
    pictures: tuple[str, ...] = (),
) -> Row:
    run = f"results_{run or name.replace('-', '_')}"
    words = " ".join(filter(None, ("python train.py", name, options, "--seeds 4", f"--workdir runs/{run}")))
    return Row(SECTION, title, run, words, figures, note=note, pictures=pictures)


ROWS = (
    Row(
        SECTION,
        "E0: a bigram on plays",
        "results_text_bigram",
        "python train.py text-bigram --task.path plays.txt --seeds 4 --workdir runs/results_text_bigram",
        (
            Figure(
                "loss, nats a character",
                "likelihood/held_out",
                "",
                'a sample that "lacks coherence"',
                percent=False,
                digits=4,
            ),
        ),
        note="`plays.txt` is the 1.1 MB of Shakespeare that makemore's author made popular.",
    ),
    _row("E4: exactly one 2", "one-mark", "", _rule("a map"), pictures=("attention.png",)),
    _row("E5: two 2s or none", "two-marks", "", _rule("a map"), pictures=("attention.png",)),
    _row(
        "E8: boards without two ones at distance 4 or 5",
        "board",
        "",
        _rule("a map", "99 %"),
        pictures=("board.png", "distances.png"),
    ),
)
