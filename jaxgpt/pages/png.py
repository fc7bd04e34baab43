"""Pictures of one value a pixel as PNG files: 256 levels, and the colour of each."""

import base64
import functools
import struct
import zlib

import numpy as np
from jaxtyping import UInt8

#: Lightness, and the two colours of Oklab, of the least value, one between, and the greatest.
_STOPS = np.asarray([(0.97, -0.002, -0.006), (0.62, -0.04, -0.125), (0.24, -0.005, -0.085)])


@functools.cache
def palette() -> UInt8[np.ndarray, "256 3"]:
    """Nearly white to dark blue; equal steps of the value look equally large.

    Lightness falls evenly in Oklab (Ottosson 2020, https://bottosson.github.io/posts/oklab).
    """
    lightness = np.linspace(_STOPS[0, 0], _STOPS[-1, 0], 256)
    a, b = (np.interp(-lightness, -_STOPS[:, 0], _STOPS[:, i]) for i in (1, 2))
    cones = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    linear = (
        np.asarray(
            [
                [4.0767416621, -3.3077115913, 0.2309699292],
                [-1.2684380046, 2.6097574011, -0.3413193965],
                [-0.0041960863, -0.7034186147, 1.7076147010],
            ]
        )
        @ cones**3
    ).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (255 * encoded.T).round().astype(np.uint8)


def encoded(levels: UInt8[np.ndarray, "R C"]) -> bytes:
    """A PNG file of one byte a pixel, which names a colour of the palette; rows are not filtered."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = levels
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette().tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def data_address(levels: UInt8[np.ndarray, "R C"]) -> str:
    """The PNG file as an address that has the file in itself."""
    return "data:image/png;base64," + base64.b64encode(encoded(levels)).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
