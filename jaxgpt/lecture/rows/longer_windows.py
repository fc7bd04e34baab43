"""Longformer: attention in windows, so that longer texts fit."""

import dataclasses

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.place_losses import context_curves
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values

_SHORT, _WINDOWS, _FULL = "32, all of them seen", "256, of which 4 are seen", "256, all of them seen"


@dataclasses.dataclass(frozen=True)
class LongerWindows(Row):
    """Texts of one length that are seen whole, and eight times as long ones seen in windows.

    Beltagy et al. 2020, arXiv 2004.05150, section 3.1.
    """

    place = 10
    title = "Longformer: windows of attention"
    claim = (
        "A token of Longformer sees only a window around it, so that memory grows with the length of a text "
        "and not with its square; layers above each other see further. With texts of 32 characters attention "
        "holds 32 x 32 scores; with 256 characters and windows of 4 it holds as many. Each step reads 1,536 "
        "characters. Beside them, 256 characters that are all seen, which hold 64 times as many scores."
    )
    files = ("text",)

    def arms(self, files):
        base = text_values(files, steps=1000, num_layers="4", d_model="32", num_heads="2", position="rotary")
        longer = base | {"model.max_length": "256", "training.batch_size": "6"}
        return (
            Arm(_SHORT, "text", base | {"model.max_length": "32", "training.batch_size": "48"}),
            Arm(_WINDOWS, "text", longer | {"model.window": "4"}),
            Arm(_FULL, "text", longer),
        )

    def parts(self, runs, files):
        values = {name: reached.bits_a_byte(run) for name, run in runs.items()}
        return {
            "loss": ArmTable("bits a byte", values, baseline=_SHORT, better="less"),
            "places": context_curves(runs, "character", most=32),
        }
