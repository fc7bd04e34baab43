"""Where activations lie on several devices: a hook that models call, and that whoever has a mesh sets.

Left alone, XLA lays activations out as the weights that made them: an embedding whose features are spread
over devices would leave every device with all rows of a batch.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

from jaxtyping import Array, Float

Lay = Callable[[Array], Array]
_LAY: contextvars.ContextVar[Lay | None] = contextvars.ContextVar("lay", default=None)


def laid(x: Float[Array, "B T D"]) -> Float[Array, "B T D"]:
    """The activations as the hook lays them out; without one as they are."""
    lay = _LAY.get()
    return x if lay is None else lay(x)


@contextlib.contextmanager
def laying(lay: Lay) -> Iterator[None]:
    """What is traced inside has its activations laid out by `lay`."""
    token = _LAY.set(lay)
    try:
        yield
    finally:
        _LAY.reset(token)
