"""Devices along each axis of a mesh."""

import dataclasses
from typing import Annotated


@dataclasses.dataclass(frozen=True)
class MeshConfig:
    """Devices along each axis; their product is the number of devices used. -1: what is left.

    Replicas of different seeds are spread first, since they have nothing to tell each other.
    """

    seeds: Annotated[int, "devices that the replicas of different seeds are spread over"] = -1
    data: Annotated[int, "copies of the model, each with a share of the batch"] = -1
    fsdp: Annotated[int, "devices a copy's weights are spread over, each with a share of the batch"] = 1
    sequence: Annotated[int, "devices the tokens of each row are spread over, for long contexts"] = 1
    tensor: Annotated[int, "devices each matrix product is spread over"] = 1

    def __post_init__(self):
        for name in ("seeds", "data", "fsdp", "sequence", "tensor"):
            value = getattr(self, name)
            if value < 1 and not (name in ("seeds", "data") and value == -1):
                raise ValueError(
                    f"mesh.{name}={value} must be at least 1 (seeds and data may be -1: what is left)"
                )
