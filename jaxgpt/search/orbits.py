"""A problem whose elements are the orbits of a symmetry: whole orbits are added and dropped."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Int

from jaxgpt.core.wording import quoted
from jaxgpt.search.conflict_tables import (
    Table,
    bit_table,
    bit_table_bytes,
    even_list_table_bytes,
    list_table,
    list_table_bytes,
)
from jaxgpt.search.searchable import Searchable, ThreeUniform
from jaxgpt.search.tested_tables import alone, members, tested_table

#: Bytes that a table of conflicts may take unless told otherwise.
TABLE_LIMIT = 2 * 2**30
#: Elements that a problem may have: the symmetries of so large a grid, eleven numbers each, take 3 GB.
_MOST_ELEMENTS = 2**25


@dataclasses.dataclass(frozen=True)
class Orbits:
    """The orbits of a symmetry that hold no conflict by themselves, and what conflicts between them.

    Attributes:
      number: the orbit of each element; -1 where its orbit holds a conflict.
      sizes: elements of each orbit.
      table: the conflicts between orbits, on the device.
    """

    number: Int[np.ndarray, " E"]
    sizes: Int[np.ndarray, " O"]
    table: Table

    def elements(self, orbits: Bool[np.ndarray, "S O"]) -> Bool[np.ndarray, "S E"]:
        """The elements of sets of orbits."""
        return np.where(self.number >= 0, np.asarray(orbits)[:, self.number], False)

    def orbits(self, sets: Bool[np.ndarray, "S E"]) -> Bool[np.ndarray, "S O"]:
        """The orbits that sets of elements consist of.

        Raises:
          ValueError: if a set holds a part of an orbit, or an orbit with a conflict.
        """
        first = np.array([np.flatnonzero(self.number == orbit)[0] for orbit in range(len(self.sizes))], int)
        found = np.asarray(sets)[:, first]
        wrong = np.flatnonzero((self.elements(found) != sets).any(1))
        if len(wrong):
            raise ValueError(f"start[{wrong[0]}] does not have this symmetry; use symmetry='none'")
        return found

    def most(self, sets: Bool[np.ndarray, "S E"]) -> Bool[np.ndarray, "S O"]:
        """The orbits of which sets of elements hold at least a half."""
        held = self.number >= 0
        counts = np.zeros((len(sets), len(self.sizes)), np.int32)
        np.add.at(counts.T, self.number[held], np.asarray(sets)[:, held].T)
        return (2 * counts >= self.sizes) & (counts > 0)


def orbits_of(problem: Searchable, symmetry: str, table_limit: int) -> Orbits:
    """The orbits of a problem, with their table.

    Raises:
      ValueError: if there is no such symmetry, each of its orbits holds a conflict, or the table takes more
        than `table_limit` bytes.
    """
    check_size(problem, symmetry, table_limit)
    number = _numbered(problem, symmetry)
    if isinstance(problem, ThreeUniform):
        number = _free(problem, number)
        sizes = _sizes(number, symmetry)
        _check_table(problem, symmetry, bit_table_bytes(len(sizes)), table_limit)
        return Orbits(number, sizes, tested_table(problem, members(number)))
    if problem.largest_conflict == 3:  # before the conflicts are listed, which takes memory too
        _check_table(problem, symmetry, bit_table_bytes(int(number.max()) + 1), table_limit)
    number, conflicts = _between(number, problem.conflicts())
    sizes = _sizes(number, symmetry)
    if conflicts.shape[1] <= 3:
        return Orbits(number, sizes, bit_table(len(sizes), conflicts))
    _check_table(problem, symmetry, list_table_bytes(len(sizes), conflicts), table_limit)
    return Orbits(number, sizes, list_table(len(sizes), conflicts))


def table_bytes(problem: Searchable, symmetry: str = "none") -> int:
    """The memory that the table of conflicts takes on the device, told before it is built.

    Raises:
      ValueError: if there is no such symmetry, or there are too many elements to list.
    """
    if symmetry == "none" and problem.largest_conflict == 3:
        return bit_table_bytes(problem.size())
    number = _numbered(problem, symmetry)
    if isinstance(problem, ThreeUniform):
        return bit_table_bytes(int(_free(problem, number).max()) + 1)
    if problem.largest_conflict == 3:
        return bit_table_bytes(int(number.max()) + 1)
    number, conflicts = _between(number, problem.conflicts())
    return list_table_bytes(int(number.max()) + 1, conflicts)


def check_size(problem: Searchable, symmetry: str, table_limit: int) -> None:
    """Raises ValueError if a problem is too large, as far as that is seen before its elements are listed."""
    _check_elements(problem)
    if symmetry == "none":
        _check_table(problem, symmetry, _least_bytes(problem), table_limit)
    elif problem.largest_conflict == 4:  # all are listed, whatever the symmetry
        way_out = "choose a smaller problem, or set table_limit"
        _check_limit(_least_bytes(problem), table_limit, "listing the conflicts", way_out)


def check_polish(problem: Searchable, table_limit: int) -> None:
    """Raises ValueError if the table without a symmetry is too large, as far as that is seen at once."""
    _check_elements(problem)
    way_out = "set moves.polish=0, choose a smaller problem, or set table_limit"
    _check_limit(_least_bytes(problem), table_limit, "the table without the symmetry", way_out)


def _least_bytes(problem: Searchable) -> int:
    """What the table without a symmetry takes at least, told without listing elements or conflicts.

    Listing conflicts of four elements takes about as much, with a symmetry, too.
    """
    if problem.largest_conflict == 3:
        return bit_table_bytes(problem.size())
    elements = problem.conflict_elements()
    return 0 if elements is None else even_list_table_bytes(problem.size(), elements)


def _check_elements(problem: Searchable) -> None:
    if problem.size() > _MOST_ELEMENTS:
        raise ValueError(
            f"{problem} has {problem.size():,} elements; give a smaller problem, {_MOST_ELEMENTS:,} at most"
        )


def _check_table(problem: Searchable, symmetry: str, needed: int, limit: int) -> None:
    way_out = "choose a smaller problem, or set table_limit"
    if needed > limit and _has_larger(problem, symmetry):
        way_out = f"search with a larger symmetry, {way_out}"
    _check_limit(needed, limit, "the table of conflicts", way_out)


def _has_larger(problem: Searchable, symmetry: str) -> bool:
    """Whether another symmetry has fewer orbits."""
    if symmetry == "none":  # of a large problem they are too many to list
        return problem.has_symmetries()
    last = _numbered(problem, symmetry).max()
    return any(_numbered(problem, name).max() < last for name in problem.symmetries())


def _check_limit(needed: int, limit: int, table: str, way_out: str) -> None:
    if needed > limit:
        raise ValueError(f"{table} takes {needed:,} bytes, more than table_limit={limit:,}; {way_out}")


def _numbered(problem: Searchable, symmetry: str) -> Int[np.ndarray, " E"]:
    """The orbit of each element, in the order of their first elements."""
    _check_elements(problem)
    groups = problem.symmetries()
    if symmetry not in groups:
        raise ValueError(f"symmetry={quoted(symmetry)} is none of this problem's: {', '.join(groups)}")
    lowest = np.arange(problem.size())
    while True:  # each element takes the lowest number that it or what it goes to has, until none changes
        before = lowest
        for goes in groups[symmetry]:
            lowest = np.minimum(lowest, lowest[goes])
            lowest[goes] = np.minimum(lowest[goes], lowest)
        if np.array_equal(before, lowest):
            return np.unique(lowest, return_inverse=True)[1]


def _free(problem: ThreeUniform, number: Int[np.ndarray, " E"]) -> Int[np.ndarray, " E"]:
    """The numbers of orbits, -1 for those that hold a conflict."""
    return _renumbered(np.flatnonzero(~np.asarray(alone(problem, members(number)))), number.max() + 1)[number]


def _sizes(number: Int[np.ndarray, " E"], symmetry: str) -> Int[np.ndarray, " O"]:
    sizes = np.bincount(number[number >= 0])
    if not len(sizes):
        raise ValueError(f"every orbit of symmetry={quoted(symmetry)} holds a conflict; choose another one")
    return sizes


def _renumbered(free: Int[np.ndarray, " F"], orbits: int) -> Int[np.ndarray, " O+1"]:
    """A new number for each orbit, -1 for those that are not free; the last one is for -1."""
    new = np.full(orbits + 1, -1, np.int32)
    new[free] = np.arange(len(free))
    return new


def _between(
    number: Int[np.ndarray, " E"], conflicts: Int[np.ndarray, "C W"]
) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, "C W"]]:
    """The numbers of orbits, -1 for those that hold a conflict, and the conflicts between the others."""
    if not conflicts.size:  # of any shape
        return number, np.zeros((0, 3), int)
    found = number.astype(np.int32)[conflicts]  # sorted in place: there may be millions
    found[conflicts < 0] = -1
    found.sort(axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = -1
    np.negative(found, out=found).sort(axis=1)
    np.negative(found, out=found)  # descending, so that what fills comes last
    alone = found[:, 1] < 0
    free = np.setdiff1d(np.arange(number.max() + 1), found[alone, 0])
    new = _renumbered(free, number.max() + 1)
    found = found[~alone]
    found = found[((new[found] >= 0) | (found < 0)).all(1)]
    found = new[found]
    return new[number], np.unique(found, axis=0)
