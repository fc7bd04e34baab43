"""What a search says: how far each arm came at equal time, and whether the model helped."""

import numpy as np

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.intervals import Difference, paired, wilson
from jaxgpt.search.arms import ARMS
from jaxgpt.search.generation_step import Stand
from jaxgpt.search.generations import Searched

#: The arm that says what a search without a model finds.
CONTROL = "none"
#: Arms in a sentence.
_NAMES = {arm: f"the {arm.replace('-', ' ')}" for arm in ARMS} | {CONTROL: "the search without a model"}


def sentences(searched: Searched) -> list[str]:
    """What was found, the answer first: whether each other arm beat the search without a model."""
    told = []
    if CONTROL in searched.stands:
        told += [_against_control(searched, arm) for arm in searched.stands if arm != CONTROL]
    known = searched.problem.best_known()
    top = max(max(searched.best(arm)) for arm in searched.stands)
    if known is None:
        told.append(f"The largest set has {top} elements; no value of the literature is known here.")
    else:
        beyond = " Have it checked: it is larger than what is known." if top > known else ""
        told.append(f"The largest set has {top} elements; the best known has {known}.{beyond}")
    if len(next(iter(searched.stands.values()))) < 6:
        told.append("With fewer than six seeds no difference between arms is sure at 95 %.")
    return told


def _against_control(searched: Searched, arm: str) -> str:
    """The difference in the largest set, else in the time to it, paired by seed."""
    ours, theirs = searched.best(arm), searched.best(CONTROL)
    difference = paired(ours, theirs)
    wins, losses = sum(d > 0 for d in difference.per_seed), sum(d < 0 for d in difference.per_seed)
    if not wins and not losses:
        return (
            f"At equal time {_NAMES[arm]} and {_NAMES[CONTROL]} find sets of one size with every seed "
            f"({_typical(difference, 'elements')}); {_sooner(searched, arm)}."
        )
    helps, harms = "helps", "does harm"
    if not ARMS[arm].searches:
        helps, harms = (f"finds {size} sets than {_NAMES[CONTROL]}" for size in ("larger", "smaller"))
    answer = f"it is not sure that {_NAMES[arm]} {helps}"
    if difference.sure:
        answer = f"{_NAMES[arm]} {helps if difference.median > 0 else harms}"
    count = f"of {len(ours)} seeds {wins} found a larger set with {_NAMES[arm]}, {losses} without it"
    told = f"{_typical(difference, 'elements')}; sign test p = {difference.p:.3g}"
    return f"At equal time {answer}: {count} ({told})."


def _typical(difference: Difference, unit: str) -> str:
    """The median of the seeds' differences, and its interval where there are seeds enough for one."""
    told = f"median difference {difference.median:.3g} {unit}, "
    if difference.interval is None:
        return f"{told}too few seeds for an interval"
    low, high = difference.interval
    return f"{told}95 % interval {low:.3g} to {high:.3g}"


def _sooner(searched: Searched, arm: str) -> str:
    """Which arm had it first; what both find at the beginning says nothing of the model."""
    pairs = list(zip(searched.stands[arm], searched.stands[CONTROL], strict=True))
    later = [pair for pair in pairs if any(stand.records[0].best < stand.best for stand in pair)]
    if not later:
        return "they have them from the beginning, before the model has learned anything"
    ours, theirs = ([seconds_to(stand, stand.best) for stand in each] for each in zip(*later, strict=True))
    difference = paired(ours, theirs)
    wins, losses = sum(d < 0 for d in difference.per_seed), sum(d > 0 for d in difference.per_seed)
    told = f"{_NAMES[arm]} was there sooner with {wins}, later with {losses}"
    if beginning := len(pairs) - len(later):
        told += f", and with {beginning} both were from the beginning"
    return f"{told} ({_typical(difference, 'seconds')})"


def seconds_to(stand: Stand, size: int) -> float:
    """Seconds until a set of this size was kept; infinite if none was."""
    elapsed = 0.0
    for record in stand.records:
        elapsed += record.elapsed
        if record.best >= size:
            return elapsed
    return float("inf")


def table(searched: Searched) -> Table:
    """Each arm in a row: its largest sets, how often the best known was found and when, its time by part."""
    known = searched.problem.best_known()
    goal = known if known is not None else max(max(searched.best(arm)) for arm in searched.stands)
    rows = []
    for arm, stands in searched.stands.items():
        best = [stand.best for stand in stands]
        times = [seconds_to(stand, goal) for stand in stands]
        there = sum(np.isfinite(times))
        low, high = wilson(there, len(stands))
        median = float(np.median(times))
        rows.append(
            (
                Entry(arm),
                Entry(f"{np.mean(best):.1f}", detail=", ".join(map(str, best))),
                Entry(f"{there} of {len(stands)}", detail=f"{100 * low:.0f} to {100 * high:.0f} %"),
                Entry(f"{median:.3g} s" if np.isfinite(median) else "not reached"),
                Entry(_generations(stands)),
                Entry(_parts(stands)),
            )
        )
    return Table(
        "Arms at equal time",
        "Largest sets: the mean of the seeds, and each seed's. The interval of a share is Wilson's. The time "
        "is the median of the seeds, in which one that never got there counts as longer than all. "
        + " ".join(f"{arm}: {ARMS[arm].words}." for arm in searched.stands),
        ("arm", "largest sets", f"found {goal}", "seconds to it", "generations", "share of the time"),
        tuple(rows),
    )


def _generations(stands: list[Stand]) -> str:
    counts = [len(stand.records) - 1 for stand in stands]
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(counts[0])


def _parts(stands: list[Stand]) -> str:
    seconds: dict[str, float] = {}
    for stand in stands:
        for record in stand.records:
            for part, spent in record.seconds.items():
                seconds[part] = seconds.get(part, 0.0) + spent
    total = sum(seconds.values()) or 1.0
    return ", ".join(f"{part} {100 * spent / total:.0f} %" for part, spent in seconds.items())


def shown_and_made(searched: Searched) -> Table:
    """What was kept and what the models made: the first and the last generation of each arm."""
    rows = []
    for arm, stands in searched.stands.items():
        if ARMS[arm].model is None:
            continue
        last = min(len(stand.records) for stand in stands) - 1
        for generation in sorted({min(1, last), last} - {0}):
            before = [stand.records[generation - 1].kept for stand in stands]
            records = [stand.records[generation] for stand in stands]
            readable = np.mean([record.readable / max(record.written, 1) for record in records])
            conflicts = np.mean([record.conflicts for record in records])
            made = [record.repaired or {0: 1} for record in records]
            parts = [
                Entry(f"{np.mean([measure(one) for one in each]):.1f}")
                for each in (before, made)
                for measure in (max, mean_size, top_fifth)
            ]
            shares = [Entry(f"{100 * share:.0f} %") for share in (1 - readable, conflicts)]
            speed = np.median([60 * record.written / record.seconds["propose"] for record in records])
            name = Entry(f"{arm}, generation {generation}")
            rows.append((name, *parts[:3], *shares, *parts[3:], Entry(f"{speed:,.0f}")))
    return Table(
        "What is kept and what is made",
        "Sizes of the sets that were kept before a generation, and of what the model wrote once that was "
        "repaired and "
        "filled up, before local search: the largest, the mean, the mean of the largest fifth; each the mean "
        "of the seeds. Without form: what stands for no set.",
        (
            *("arm", "kept: largest", "mean", "top fifth"),
            *("without form", "with conflicts", "made: largest", "mean", "top fifth", "written a minute"),
        ),
        tuple(rows),
    )


def mean_size(sizes: dict[int, int]) -> float:
    """The mean of some sets, from how many have each size."""
    return sum(size * count for size, count in sizes.items()) / sum(sizes.values())


def top_fifth(sizes: dict[int, int]) -> float:
    """The mean of the largest fifth of some sets, from how many have each size."""
    each = np.sort(np.repeat(list(sizes), list(sizes.values())))
    return float(each[-max(1, round(len(each) / 5)) :].mean())


def symmetry_words(searched: Searched, chosen: frozenset[int]) -> str:
    """A set's symmetries in words; empty where the problem has no groups of which it could keep one."""
    if set(searched.problem.symmetries()) <= {"none"}:
        return ""
    return ", ".join(symmetries(searched, chosen)) or "no symmetry"


def symmetries(searched: Searched, chosen: frozenset[int]) -> list[str]:
    """The problem's groups of symmetries, all of which a set keeps."""
    inside = np.zeros(searched.problem.size(), bool)
    inside[list(chosen)] = True
    groups = searched.problem.symmetries()
    return [
        name
        for name, goes in groups.items()
        if name != "none" and all(np.array_equal(inside[one], inside) for one in goes)
    ]
