"""ALBERT: layers that share their weights."""

import dataclasses

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values

_OWN, _SHARED, _WIDER = "4 layers of their own", "1 layer, four times", "1 layer, four times, twice as wide"


@dataclasses.dataclass(frozen=True)
class SharedLayers(Row):
    """Layers of their own, the same layer again, and the same again with as many weights.

    Lan et al. 2020, arXiv 1909.11942, section 3.1 and table 2.
    """

    place = 12
    title = "ALBERT: layers that share their weights"
    claim = (
        "ALBERT base has 12M weights where BERT base has 108M, since its layers share theirs; its average "
        "over five tasks is 80.1 against 82.3 (Lan et al. 2020, table 2). With a width of 4,096 it is above "
        "BERT. Here decoders of characters: four layers, one layer that is applied four times, and one of "
        "twice the width, which has about as many weights as the four."
    )
    files = ("text",)

    def arms(self, files):
        base = text_values(files, steps=1000, num_layers="4", d_model="32", num_heads="2")
        shared = base | {"model.num_layers": "1", "model.loops": "4"}
        return (
            Arm(_OWN, "text", base),
            Arm(_SHARED, "text", shared),
            Arm(_WIDER, "text", shared | {"model.d_model": "64"}),
        )

    def parts(self, runs, files):
        values = {
            f"{name}; {reached.num_weights(run):,} weights": reached.bits_a_byte(run)
            for name, run in runs.items()
        }
        return {"loss": ArmTable("bits a byte", values, baseline=next(iter(values)), better="less")}
