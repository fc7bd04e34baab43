"""Self-attention, from its simplest form on: no weights, maps, scaling, heads, positions."""

import dataclasses

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.softmax_scale import softmax_of_products
from jaxgpt.lecture.text_values import text_values

_BARE, _UNSCALED, _SCALED = "no maps: x x^T x", "maps, one head, not scaled", "maps, one head, scaled"
_HEADS, _UNORDERED = "maps, four heads, scaled", "the same without positions"


@dataclasses.dataclass(frozen=True)
class Attention(Row):
    """The forms of self-attention of the lecture, each masked, in decoders that are otherwise alike.

    Vaswani et al. 2017, arXiv 1706.03762, section 3.2.
    """

    place = 3
    title = "Self-attention: basic, scaled, several heads"
    claim = (
        "The basic form weighs the inputs by their own products and has nothing to learn. Query, key and "
        "value are then made by learned maps; products are divided by the square root of their width, since "
        "softmax of large ones has hardly a gradient; several heads look at different things. Without "
        "positions a token does not know the order of those before it. Here decoders of characters, two "
        "layers of width 64, all with a causal mask."
    )
    files = ("text",)

    def arms(self, files):
        base = text_values(files, num_layers="2", d_model="64", num_heads="1", position="learned")
        heads = base | {"model.num_heads": "4"}
        return (
            Arm(_BARE, "text", base | {"model.attention.maps": "none"}),
            Arm(_UNSCALED, "text", base | {"model.attention.scale": "1"}),
            Arm(_SCALED, "text", base),
            Arm(_HEADS, "text", heads),
            Arm(_UNORDERED, "text", heads | {"model.position": "none"}),
        )

    def parts(self, runs, files):
        values = {name: reached.bits_a_byte(run) for name, run in runs.items()}
        seeds = len(next(iter(values.values())))
        entropy, gradient = softmax_of_products((2, 4, 8, 16, 32, 64, 128, 256), seeds)
        return {
            "loss": ArmTable("bits a byte", values, baseline=_SCALED, better="less"),
            "entropy": entropy,
            "gradient": gradient,
        }
