"""A drawing of a model, read off the model itself: its parts, their sizes, and where taps see in."""

import dataclasses
from typing import Any

from flax import nnx

from jaxgpt.lab.diagram_drawing import Drawn, draw
from jaxgpt.lab.model_boxes import Box, Frame, frames
from jaxgpt.lab.part import Part
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models.transformer import Transformer

#: Blocks in a row from which on equal ones are drawn once.
_MANY = 4
#: Blocks that a pattern may have which comes again, such as five with a window and one without.
_PERIOD = 8


@dataclasses.dataclass(frozen=True)
class Diagram(Part):
    """The parts of a model, in the order in which a text goes through them.

    Attributes:
      name: of the run it is from; "" without one.
      frames: blocks, and what stands before and behind them; all of them, also those that are drawn once.
    """

    name: str
    frames: tuple[Frame, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All boxes; each array of the model is in exactly one of them."""
        return tuple(box for frame in self.frames for box in frame.boxes)

    @property
    def parameters(self) -> int:
        """Of the whole model."""
        return sum(box.parameters for box in self.boxes)

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """What is drawn: more than three equal blocks, or a pattern of blocks that comes again, once."""
        found: list[Drawn] = []
        at = 0
        while at < len(self.frames):
            period, times = _repeated([_signature(frame) for frame in self.frames[at:]])
            for frame in self.frames[at : at + period]:
                places = () if frame.index is None else tuple(frame.index + i * period for i in range(times))
                found.append(Drawn(frame, places))
            at += period * times
        return tuple(found)

    def rows(self):
        return ("place", "box", "detail", "shapes", "parameters", "taps"), (
            (
                box.place,
                box.name,
                box.detail,
                "; ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in box.leaves),
                box.parameters,
                " ".join(box.taps),
            )
            for box in self.boxes
        )

    def summary(self) -> str:
        parts = []
        for stack in ("encoder", "decoder"):
            blocks = [frame for frame in self.frames if frame.stack == stack and frame.index is not None]
            if blocks:
                count = sum(box.parameters for frame in blocks for box in frame.boxes)
                noun = f"{stack} block" if len(blocks) == 1 else f"{stack} blocks"
                parts.append(f"{count:,} in {len(blocks)} {noun}")
        embedding = self.boxes[0].parameters
        parts.append(f"{embedding:,} in the token embedding")
        return f"{self.parameters:,} parameters: {', '.join(parts)}."

    def plot(self):
        return draw(self.drawn, self.parameters)


def diagram(source: Source | Subject | Transformer) -> Diagram:
    """A drawing of a model with the shapes and the number of parameters of each part.

        jaxgpt.lab.diagram("runs/plays").plot()

    Nothing is drawn from the model's name: the arrays are those that it has, and the taps
    (`jaxgpt.nn.tap`) those that see something when it reads a few tokens. What is not known to this drawing,
    such as the layers of a mixer of your own, is a box with its arrays.

    Args:
      source: also a model without its tokenizer, which may be abstract:
        `nnx.eval_shape(lambda: jaxgpt.Transformer(config, rngs=nnx.Rngs(0)))`. Of several models the first.

    Raises:
      ValueError: as `Subject.of`.
    """
    if isinstance(source, nnx.Module):
        return Diagram("", frames(source))
    subject = Subject.of(source)
    return Diagram(subject.name, frames(subject.models[0]))


def _signature(frame: Frame) -> Any:
    """What a block shares with another if they are equal; None for what is no block."""
    if frame.index is None:
        return None

    def told(box: Box):
        return box.name, box.detail, tuple((name.split(".", 3)[-1], shape) for name, shape in box.leaves)

    steps = tuple((tuple(tuple(map(told, row)) for row in s.rows), s.total is None) for s in frame.steps)
    return frame.stack, frame.loops, steps


def _repeated(signatures: list[Any]) -> tuple[int, int]:
    """How many frames from here on form a pattern, and how often it comes: 1 and 1 if it comes once."""
    best = (1, 1)
    for period in range(1, _PERIOD + 1):
        pattern = signatures[:period]
        if None in pattern or len(pattern) < period:
            break
        times = 1
        while signatures[times * period : (times + 1) * period] == pattern:
            times += 1
        if times > 1 and period * times >= _MANY and period * times > best[0] * best[1]:
            best = (period, times)
    return best
