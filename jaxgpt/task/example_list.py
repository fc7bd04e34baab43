"""Many examples in little memory."""

import itertools
import json
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence

from jaxgpt.task.base import Example

#: Examples that are compressed together: one of them is read by reading them all.
_TOGETHER = 1024


class ExampleList(Sequence[Example]):
    """Examples, compressed; made once and only read.

    The seven million of `magic-squares-five` take 0.3 GB so, with a table of their tokens less than 2 GB
    (`benchmarks/memory.py`). They are read in their order; a single one costs as much as its neighbours, too,
    of which the last ones that were read are kept.
    """

    def __init__(self, examples: Iterable[Example]):
        rest = iter(examples)
        self._parts: list[bytes | list[Example]] = []
        self._count = 0
        self._kept: tuple[int, list[Example]] = (-1, [])
        while part := list(itertools.islice(rest, _TOGETHER)):
            self._parts.append(_written(part))
            self._count += len(part)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Example]:
        return itertools.chain.from_iterable(map(_read, self._parts))

    def __getitem__(self, index):
        if not isinstance(index, slice):
            place = range(self._count)[index]
            part = place // _TOGETHER
            if self._kept[0] != part:
                self._kept = (part, _read(self._parts[part]))
            return self._kept[1][place % _TOGETHER]
        places = range(self._count)[index]
        if places.step != 1:
            return [self[place] for place in places]
        first = places.start // _TOGETHER
        parts = self._parts[first : -(-places.stop // _TOGETHER)]
        read = itertools.chain.from_iterable(map(_read, parts))
        skipped = places.start - first * _TOGETHER
        return list(itertools.islice(read, skipped, skipped + len(places)))


def first_shuffled(examples: Sequence[Example], seed: int, count: int) -> list[Example]:
    """The first `count` of `shuffled`, for which no other is read."""
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    found = {place: examples[place] for place in sorted(order[:count])}  # neighbours are read together
    return [found[place] for place in order[:count]]


def _written(part: list[Example]) -> bytes | list[Example]:
    if any(type(example) is not Example for example in part):  # a class of a task's own may hold more
        return part
    fields = [(e.prompt, e.target, e.group, e.key) for e in part]
    return zlib.compress(json.dumps(fields).encode(), 1)


def _read(part: bytes | list[Example]) -> list[Example]:
    if isinstance(part, list):
        return part
    return [Example(*fields) for fields in json.loads(zlib.decompress(part))]
