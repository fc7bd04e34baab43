"""Transformer-XL: segments that see what was remembered of those before."""

import dataclasses

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.place_losses import context_curves
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values

_ALONE = "segments alone"


@dataclasses.dataclass(frozen=True)
class RememberedSegments(Row):
    """Segments of 32 characters that see nothing, 32 or 96 characters before them.

    Dai et al. 2019, arXiv 1901.02860, section 3.2 and table 1.
    """

    place = 9
    title = "Transformer-XL: remembering earlier segments"
    claim = (
        "A Transformer that reads a long text in segments knows nothing at the beginning of each. "
        "Transformer-XL keeps the hidden states of earlier segments, to which no gradient flows: perplexity "
        "on WikiText-103 is 18.3, where the best model before had 20.5 (Dai et al. 2019, table 1). Here 128 "
        "characters are read in segments of 32, by models that differ in what they remember alone."
    )
    files = ("text",)

    def arms(self, files):
        base = text_values(
            files, steps=1000, num_layers="2", d_model="32", num_heads="2", position="transformer_xl"
        )
        base |= {"model.max_length": "128", "training.batch_size": "12"}
        alone = base | {"model.max_length": "32", "training.batch_size": "48"}
        base |= {"model.segment": "32"}
        return (
            Arm(_ALONE, "text", alone),
            Arm("32 remembered", "text", base | {"model.memory": "32"}),
            Arm("96 remembered", "text", base | {"model.memory": "96"}),
        )

    def parts(self, runs, files):
        curves = context_curves(runs, "character", most=32)
        values = {name: reached.bits_a_byte(run) for name, run in runs.items()}
        return {
            "loss": ArmTable("bits a byte", values, baseline=_ALONE, better="less"),
            "places": curves,
        }
