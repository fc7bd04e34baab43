"""Taps: functions that see every named activation and may change it.

A tap is called as `tap(name, array)` and returns the array that the model goes on with. Names are dotted:

    decoder.embedding                    the stack's input, positions added
    decoder.0.attention.input            [B, T, D], behind the norm where one stands before it
    decoder.0.attention.query            [B, T, H, K], rotated where the scheme rotates
    decoder.0.attention.key, .value      [B, S, G, K]; the whole cache, where there is one
    decoder.0.attention.scores           [B, H, T, S], scaled, biased and masked
    decoder.0.attention.weights          [B, H, T, S], after the softmax
    decoder.0.attention.mixed            [B, T, H, K], the weighted values
    decoder.0.attention.output           [B, T, D], after the last map
    decoder.0.cross_attention.query ...  the same eight, in the decoder of an encoder-decoder
    decoder.0.mlp.hidden                 [B, T, F]
    decoder.0.mlp.output                 [B, T, D]
    decoder.0.residual                   [B, T, D], the block's output
    decoder.norm                         the final norm, where there is one
    logits                               [B, T, V]

and `encoder....` alike. The identity is recognised and costs nothing; with any other tap, scanned layers are
written out and blocks are not rematerialized.
"""

from collections.abc import Callable

from jaxtyping import Array

Tap = Callable[[str, Array], Array]


def identity(name: str, value: Array) -> Array:
    """The tap that changes nothing."""
    return value


def recorder() -> tuple[dict[str, Array], Tap]:
    """A dictionary and a tap that fills it with every activation by name."""
    seen: dict[str, Array] = {}

    def tap(name: str, value: Array) -> Array:
        seen[name] = value
        return value

    return seen, tap


def below(tap: Tap, prefix: str) -> Tap:
    """The tap for a part of the model whose names all start with `prefix`."""
    if tap is identity:
        return identity
    return lambda name, value: tap(f"{prefix}.{name}", value)
