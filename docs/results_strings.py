"""The rows of results.md about strings and their rules: the experiments E0 to E10 of Wagner's lecture."""

from results_types import Figure, Row

SECTION = "Strings and their rules"
INTRODUCTION = (
    'Experiments of A. Z. Wagner\'s lecture "Transformers and Makemore" (Hausdorff School, 2023), numbered '
    "in its order. A model writes strings from nothing at temperature 1; the share of them that keep a rule "
    "which it was never told is asked. [A page](strings.md) shows where the models look. The lecture gives "
    "one figure each, from about 1,000 strings, and seldom its settings. E10, [weight decay](#weight-decay), "
    "compares, so it stands above."
)

_KEPT = "strings that keep the rule"
_NEW = "the same of new strings, which are in no training set"


def _rule(published: str, target: str = "") -> tuple[Figure, Figure]:
    return (
        Figure(_KEPT, "all", target, published),
        Figure(_NEW, "summary/rule kept, of new strings", some=True),
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


def _long(rule: str, run: str, options: str, published: str, note: str) -> Row:
    """One of the five rules of E3."""
    figures = (
        Figure(_KEPT, "all", "", published),
        Figure(_NEW, "summary/rule kept, of new strings", "99 % after <= 15,000 steps", some=True),
    )
    return _row(f"E3 {rule}", "equal-places-quick", options, figures, note=note, run=f"equal_places_{run}")


_NUMBERS = tuple(f"{ordinal} number" for ordinal in ("3rd", "4th", "5th", "6th", "7th"))


def _lines(published: str, target: str = "") -> tuple[Figure, ...]:
    """Lines that are right as a whole, and each of their five sums."""
    sums = (Figure(name, f"places/{name}") for name in _NUMBERS)
    return (Figure("whole lines", "all", target, published), *sums)


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
    _row(
        "E1: 1,000 strings whose 13th and 22nd symbols are equal",
        "equal-places",
        "",
        (
            *_rule("99.7 % after 15,000 steps"),
            Figure("new strings, of all that are written", "summary/new strings"),
        ),
        note="After 480 passes the 1,000 strings are known by heart, and most of what is written is a copy. "
        "makemore's optimizer, which this is, has a weight decay of 0.01.",
        pictures=("attention.png",),
    ),
    _row(
        "E2: a clean map, by 100,000 strings in place of 1,000",
        "equal-places",
        "--training.train-examples 100000 --training.steps 4000",
        _rule("near perfect, and a clean map, after longer training on 1,000"),
        note="Each string is seen 1.3 times, so none is learned by heart.",
        run="equal_places_many",
        pictures=("attention.png",),
    ),
    _long(
        "(1): s[18] = s[47]",
        "forward",
        "--model.d-model 64 --training.steps 3000",
        "99 % after 15,000 steps",
        note="Strings of 50 to 200 symbols, written as they stand. With width 32 one seed of four did not "
        "find the pair in 3,000 steps.",
    ),
    _long(
        "(2): s[18] = s[n - 20]",
        "ends_first",
        "--task.rule.pairs 18=-20 --task.order ends_first",
        "54 % after 15,000 steps, above 99 % after 150,000",
        note="Strings of 50 to 200 symbols, [written from both ends](strings.md#places-from-the-end). "
        "makemore's own recipe is `equal-places-long`. This is the time of four seeds, beside other work.",
    ),
    _long(
        "(3): the last two are equal",
        "last_two",
        "--task.rule.pairs=-1=-2 --task.order ends_first",
        "90 % after 15,000 steps, above 99 % after 150,000",
        note="Written from both ends, too.",
    ),
    _long(
        "(4): s[18] = s[39], s[31] = s[44], s[4] = s[28]",
        "three_pairs",
        "--model.d-model 64 --task.rule.pairs 18=39,31=44,4=28 --training.steps 3000",
        "99 % after 15,000 steps",
        note="Three pairs at once, written as they stand.",
    ),
    _long(
        "(5): s[18] = s[39], s[31] = s[44], s[4] = s[n - 28]",
        "turned",
        "--model.d-model 64 --model.position learned_relative --task.rule.pairs 18=39,31=44,4=-28 "
        "--task.order turned --task.turn 45 --training.steps 3000",
        "51 % after 15,000 steps, above 99 % after 150,000",
        note="Written [with a turn](strings.md#places-from-the-end). In the 15 % of the strings that are "
        "shorter than 73 symbols, place n - 28 stands before the turn, where the length is not known yet: "
        "half of those are right by chance. With vectors of places alone (`learned`) two seeds of four stay "
        "at 48 %.",
    ),
    _long(
        "(5) with places told",
        "counted",
        "--model.d-model 64 --model.position learned_relative --task.rule.pairs 18=39,31=44,4=-28 "
        "--task.order turned_counted --task.turn 45 --training.steps 15000 --training.train-examples 120000",
        "51 % after 15,000 steps, above 99 % after 150,000",
        note="The same, and the symbols before the turn that are among the last 45, too, "
        "[tell their place from the end](strings.md#places-from-the-end). Most of what is wrong has 67 or 72 "
        "symbols, where two pairs share a place.",
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
    _row(
        "E6: seven numbers, each the sum of the two before, 26,272 weights",
        "fibonacci",
        "",
        (
            *_lines("0 of 45 sums (27k weights, an hour); 50 of 50 (400k weights, a day)", "100 %"),
            *(
                Figure(
                    f"of the wrong lines off by a carry into the {place}",
                    f"wrong/off by a carry into the {place}",
                )
                for place in ("tens", "hundreds", "thousands")
            ),
            Figure("of the wrong lines other digits", "wrong/other wrong digits"),
        ),
        note="Written with the ones last, a carry must be known before the digits that make it are written. "
        "The first sum suffers most. The time is that of four seeds, beside other work.",
    ),
    _row(
        "E6 with the ones first: seven numbers, each the sum of the two before",
        "fibonacci-reversed",
        "",
        _lines(
            "0 of 45 sums (27k weights, an hour); 50 of 50 (400k weights, a day)", "100 % with <= 27k weights"
        ),
        note="The lecture writes numbers as one does. This is the time of four seeds, beside other work.",
    ),
    _row(
        "E7: seven numbers in eleven letters",
        "fibonacci-relabelled",
        "",
        _lines("the same result as with digits"),
        note="Letters in place of digits, and of the comma: the lines that are held out are others, so these "
        "are other seeds of E6.",
    ),
    _row(
        "E9: sums with digits exchanged, turned round, doubled and cut off",
        "odd-fibonacci",
        "",
        (
            Figure("whole lines", "all", "100 %", "learned completely overnight"),
            *(Figure(name, f"places/{name}") for name in _NUMBERS[:3]),
        ),
        note="The training stood still for a while, which counts in the time.",
    ),
)
