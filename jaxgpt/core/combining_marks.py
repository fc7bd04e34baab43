r"""Words of any script: `\w` matches letters, digits and underscores, but not the marks that stand on them.

Such marks are the vowel signs of Devanagari, and an accent that is a character of its own.
"""

import functools
import sys
import unicodedata


@functools.cache
def marks() -> str:
    """Every combining mark (Unicode's categories Mn, Mc, Me), as ranges to stand in a class of a pattern."""
    # All of Unicode takes a tenth of a second, which is too long for an import.
    found = [place for place in range(sys.maxunicode + 1) if unicodedata.category(chr(place)).startswith("M")]
    known = set(found)
    first = [chr(place) for place in found if place - 1 not in known]
    last = [chr(place) for place in found if place + 1 not in known]
    return "".join(f"{one}-{other}" for one, other in zip(first, last, strict=True))


@functools.cache
def word() -> str:
    """The pattern of a word: letters, digits and underscores, each with its marks."""
    return rf"\w[\w{marks()}]*"
