"""Tables of conflicts on the device: by how much the conflicts of all elements change if one is added.

Conflicts are sets of two, three or four elements. E is the number of elements, S that of states. Element E
fills what is empty.

Where no conflict has four elements, bits are the faster table on a CPU: the changes of 256 moves take 0.4 ms
of processor time for isosceles triangles on a 16 x 16 grid, and 8.9 ms with lists; for cap sets in F_3^5 they
take 0.7 and 1.0 ms.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Int, UInt

#: Bits of a word of a table.
WORD = 32
#: Conflicts that are put into a list at once: what that takes in memory is little beside the table.
_PART = 2**15


class BitTable(NamedTuple):
    """Conflicts of two and three elements: for each pair the third ones, a bit each.

    Attributes:
      bits: row E * p + q has the elements in conflict with p and q; row E * p + p those with p alone. The
        last row is empty.
    """

    bits: UInt[Array, "R W"]

    def change(
        self, inside: Bool[Array, "S E"], members: Int[Array, "S E"], element: Int[Array, " S"]
    ) -> Int[Array, "S E"]:
        """How many conflicts with an element and with members of the set each element is in.

        The bits are added in columns: word i of the sum holds bit i of 32 counts, so that adding a row to
        all counts of a state takes two operations a word and bit of the counts.

        Args:
          inside: which elements are in each set; whether `element` is does not matter.
          members: the elements of each set, and E behind them.
          element: one for each state; E for none.
        """
        size = inside.shape[1]
        empty = self.bits.shape[0] - 1

        def add(i: Int[Array, ""], sums: tuple[Array, ...]) -> tuple[Array, ...]:
            member = members[:, i]
            counted = (member < size) & (member != element) & (element < size)
            carry = self.bits[jnp.where(counted, element * size + member, empty)]
            added = []
            for one in sums:
                added.append(one ^ carry)
                carry = one & carry
            return tuple(added)

        alone = self.bits[jnp.where(element < size, element * (size + 1), empty)]  # [S, W]
        sums = (alone, *[jnp.zeros_like(alone)] * size.bit_length())
        sums = lax.fori_loop(0, inside.sum(1).max(), add, sums)
        columns = jnp.arange(WORD, dtype=jnp.uint32)
        counts = sum(((one[..., None] >> columns & 1) << i) for i, one in enumerate(sums))  # [S, W, 32]
        return counts.reshape(len(members), -1)[:, :size].astype(jnp.int32)

    def degrees(self) -> Int[Array, " E"]:
        """In how many conflicts each element is."""
        size = math.isqrt(len(self.bits) - 1)
        others = lax.population_count(self.bits[:-1]).sum(1, dtype=jnp.int32).reshape(size, size)
        return (others.sum(1) + jnp.diagonal(others)) // 2  # three elements have a bit in each of two rows


class ListTable(NamedTuple):
    """Conflicts of up to four elements: for each element the others of each of its conflicts.

    Attributes:
      others: E stands for a place that is always taken, E + 1 for one that never is. Row E is for no element.
    """

    others: Int[Array, "E+1 D 3"]

    def change(
        self, inside: Bool[Array, "S E"], members: Int[Array, "S E"], element: Int[Array, " S"]
    ) -> Int[Array, "S E"]:
        """As `BitTable.change`."""
        states, size = inside.shape
        always = jnp.array([True, False])
        taken = jnp.concatenate([inside, jnp.broadcast_to(always, (states, 2))], axis=1)

        def one(taken: Bool[Array, " E+2"], others: Int[Array, "D 3"]) -> Int[Array, " E"]:
            first, second, third = taken[others].T
            rest = jnp.stack([second & third, first & third, first & second])
            counts = jnp.zeros(size + 2, jnp.int32).at[others.T].add(rest.astype(jnp.int32))
            return counts[:size]

        return jax.vmap(one)(taken, self.others[element])

    def degrees(self) -> Int[Array, " E"]:
        """As `BitTable.degrees`."""
        return (self.others[:-1, :, 0] < len(self.others)).sum(1)


Table = BitTable | ListTable


def bit_table(size: int, conflicts: Int[np.ndarray, "C W"]) -> BitTable:
    """The table of conflicts of two or three elements, of `bit_table_bytes(size)` bytes."""
    bits = np.zeros((size * size + 1, words(size)), np.uint32)

    def put(first: Array, second: Array, third: Array) -> None:
        bit = np.uint32(1) << (third % WORD).astype(np.uint32)
        np.bitwise_or.at(bits, (first * size + second, third // WORD), bit)

    three = conflicts[(conflicts >= 0).sum(1) == 3]
    two = conflicts[(conflicts >= 0).sum(1) == 2]
    for a, b, c in ((0, 1, 2), (0, 2, 1), (1, 2, 0)) if len(three) else ():  # pairs alone have two columns
        put(three[:, a], three[:, b], three[:, c])
        put(three[:, b], three[:, a], three[:, c])
    put(two[:, 0], two[:, 0], two[:, 1])
    put(two[:, 1], two[:, 1], two[:, 0])
    return BitTable(jnp.asarray(bits))


def bit_table_bytes(size: int) -> int:
    """The memory that a `BitTable` of so many elements takes."""
    return 4 * words(size) * (size * size + 1)


def list_table(size: int, conflicts: Int[np.ndarray, "C W"]) -> ListTable:
    """The table of conflicts of two to four elements, of `list_table_bytes(size, conflicts)` bytes.

    Little more than the table itself is in memory while it is built.
    """
    others = np.full((size + 1, max(_most(size, conflicts), 1), 3), size + 1, np.int32)
    used = np.zeros(size + 1, int)  # places of each element's list
    for begin in range(0, len(conflicts), _PART):
        part = conflicts[begin : begin + _PART]
        part = np.pad(part, ((0, 0), (0, 4 - part.shape[1])), constant_values=-1)
        for column in range(4):
            own = part[part[:, column] >= 0]
            own = own[np.argsort(own[:, column], kind="stable")]
            element, rest = own[:, column], np.delete(own, column, axis=1)
            place = used[element] + np.arange(len(own)) - np.searchsorted(element, element)
            others[element, place] = np.where(rest < 0, size, rest)
            used += np.bincount(element, minlength=size + 1)
    return ListTable(jnp.asarray(others))


def list_table_bytes(size: int, conflicts: Int[np.ndarray, "C W"]) -> int:
    """The memory that a `ListTable` takes."""
    return 12 * (size + 1) * max(_most(size, conflicts), 1)


def even_list_table_bytes(size: int, elements: int) -> int:
    """The least memory of a `ListTable` whose conflicts have so many elements together.

    That is where every element is in as many conflicts.
    """
    return 12 * (size + 1) * max(-(-elements // size), 1)


def _most(size: int, conflicts: Int[np.ndarray, "C W"]) -> int:
    """The most conflicts that an element is in."""
    columns = (np.bincount(column[column >= 0], minlength=size + 1) for column in conflicts.T)
    return int(sum(columns, np.zeros(size + 1, int)).max())


def words(size: int) -> int:
    """The words that a bit for each element takes."""
    return -(-size // WORD)
