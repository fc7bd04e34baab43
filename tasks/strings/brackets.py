"""Expressions with brackets, modulo a small number, as Delétang et al. 2023 draw them.

One of 1 to 4 symbols is a digit: 3, -3, (3) or (-3). A longer one is two others in brackets with a sign
between them; how much of the length is the first one's is drawn, too, each as likely.
"""

import functools
import random
import re

#: The residues 0 to 9 of what is worked out already: letters, so that -3 and -(3) stay different.
_DONE = "abcdefghij"

_SHORT = ("{}", "-{}", "({})", "(-{})")


def draw(rng: random.Random, length: int, modulus: int, signs: str) -> str:
    """An expression of `length` symbols with the signs between its parts."""
    if length <= len(_SHORT):
        return _SHORT[length - 1].format(rng.randrange(modulus))
    left = rng.randint(1, length - 4)
    first = draw(rng, left, modulus, signs)
    second = draw(rng, length - 3 - left, modulus, signs)
    return f"({first}{rng.choice(signs)}{second})"


def value(text: str, modulus: int, signs: str) -> int | None:
    """What an expression is, modulo `modulus`; None if `draw` never gives it.

    Brackets are worked out from the inside, so that no depth is too deep.
    """
    if not set(text) <= set("()-0123456789" + signs):
        return None
    part = f"(-?[0-{modulus - 1}]|[{_DONE}])"
    bracket = re.compile(rf"\((?:(-?[0-{modulus - 1}])|{part}([{re.escape(signs)}]){part})\)")
    changed = 1
    while changed:
        text, changed = bracket.subn(lambda found: _DONE[_bracket(found, modulus)], text)
    return _residue(text, modulus) if re.fullmatch(part, text) else None


def _bracket(found: re.Match[str], modulus: int) -> int:
    alone, left, sign, right = found.groups()
    if alone is not None:
        return _residue(alone, modulus)
    first, second = _residue(left, modulus), _residue(right, modulus)
    if sign == "*":
        return first * second % modulus
    return (first + second if sign == "+" else first - second) % modulus


def _residue(part: str, modulus: int) -> int:
    return (_DONE.index(part) if part in _DONE else int(part)) % modulus


@functools.lru_cache(maxsize=4096)
def count(length: int, modulus: int, signs: int) -> int:
    """How many different expressions of `length` symbols there are, with so many signs."""
    if length <= len(_SHORT):
        return modulus
    lefts = range(1, length - 3)
    return signs * sum(count(n, modulus, signs) * count(length - 3 - n, modulus, signs) for n in lefts)
