"""Strings whose last symbols are written as others, so that the end is known before it comes.

    string             0 1 1 0 1 0 0 1
    announced by 3     0 1 1 0 1 ０ ０ １

The first of them stands at place -3 and says so. Without them, whether a symbol is at place -3 is known only
once the string has ended. The others are the full-width forms of ASCII characters (U+FF01 to U+FF5E).
"""

_WIDE = {plain: plain + 0xFEE0 for plain in range(0x21, 0x7F)}
_PLAIN = {wide: plain for plain, wide in _WIDE.items()}


def announce(text: str, count: int) -> str:
    """A string with its last `count` symbols in full width.

    Raises:
      ValueError: if it has such symbols of its own.
    """
    if plain(text) != text:
        raise ValueError(f"the string {text!r} has full-width symbols, which announce its end; use others")
    begin = max(len(text) - count, 0)
    return text[:begin] + text[begin:].translate(_WIDE)


def plain(written: str) -> str:
    """The string that was written so."""
    return written.translate(_PLAIN)
