"""Faults of strings and their rules."""

from ..fault import Fault

FAULTS = [
    Fault(
        "places-from-zero",
        "tasks/strings/rules/equal.py",
        "return _Pair(*(p if p < 0 else p - self.index_base for p in (first, second)))",
        "return _Pair(first, second)",
        "places that are counted from 1 are taken as counted from 0",
        ("tests/tasks/test_strings.py",),
    ),
    Fault(
        "one-tie-forgotten",
        "tasks/strings/rules/equal.py",
        "one, other = sorted(map(root, pair.at(length)))",
        "one, other = sorted(pair.at(length))",
        "pairs that share a place do not make all of theirs equal",
        ("tests/tasks/test_strings.py",),
    ),
    Fault(
        "floor-without-places",
        "tasks/strings/rules/marked.py",
        "whether + self.share * places + others",
        "whether + others",
        "the least loss forgets where the marks are",
        ("tests/tasks/test_strings.py",),
    ),
    Fault(
        "carry-of-the-wrong-place",
        "tasks/strings/rules/fibonacci.py",
        "if place and off == 10**place:",
        "if place and off == 10 ** (place - 1):",
        "a missed carry is counted one place too high",
        ("tests/tasks/test_strings.py",),
    ),
    Fault(
        "ends-not-turned-round",
        "tasks/strings/writing_order.py",
        "return written[::2] + written[1::2][::-1]",
        "return written[::2] + written[1::2]",
        "the second half of a string written from both ends is put back the wrong way round",
        ("tests/tasks/test_writing_order.py",),
    ),
    Fault(
        "copies-called-new",
        "tasks/strings/task.py",
        "new = [text for text in texts if text not in trained]",
        "new = texts",
        "what is copied from training counts as new",
        ("tests/tasks/test_strings.py",),
    ),
    Fault(
        "board-left-is-right",
        "jaxgpt/lab/board_offsets.py",
        "self.across = self.earlier % columns - self.later % columns",
        "self.across = self.later % columns - self.earlier % columns",
        "a cell to the left is shown to the right",
        ("tests/lab/test_place_maps.py",),
    ),
]
