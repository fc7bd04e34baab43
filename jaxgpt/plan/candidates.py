"""What is tried, in order: the least costly way to train first, the most sparing one last."""

import dataclasses
import math
from collections.abc import Iterator

from jaxgpt.plan.targets import Target
from jaxgpt.training.experiment import Experiment

#: Pieces of a batch that are tried before anything is recomputed.
_FEW = 4


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Fields of an experiment that change where and in which pieces a step is computed, not what.

    Attributes:
      data, fsdp, tensor: as in training.mesh.
      pieces: training.accumulation.
    """

    data: int
    fsdp: int
    tensor: int
    remat: str
    pieces: int

    @classmethod
    def of(cls, experiment: Experiment) -> "Candidate":
        """The experiment as it is."""
        mesh, training = experiment.training.mesh, experiment.training
        return cls(mesh.data, mesh.fsdp, mesh.tensor, experiment.model.remat, training.accumulation)

    def apply(self, experiment: Experiment) -> Experiment:
        """The experiment with these fields.

        Raises:
          ValueError: if they do not fit it.
        """
        mesh = dataclasses.replace(
            experiment.training.mesh, data=self.data, fsdp=self.fsdp, tensor=self.tensor
        )
        training = dataclasses.replace(experiment.training, mesh=mesh, accumulation=self.pieces)
        model = dataclasses.replace(experiment.model, remat=self.remat)
        return dataclasses.replace(experiment, training=training, model=model)

    def options(self, experiment: Experiment) -> str:
        """What to add to the command line of `train` for it."""
        old = Candidate.of(experiment)
        names = {
            "data": "training.mesh.data",
            "fsdp": "training.mesh.fsdp",
            "tensor": "training.mesh.tensor",
            "remat": "model.remat",
            "pieces": "training.accumulation",
        }
        changed = [name for name in names if getattr(self, name) != getattr(old, name)]
        return " ".join(f"--{names[name]} {getattr(self, name)}" for name in changed)


def ordered(experiment: Experiment, target: Target) -> Iterator[Candidate]:
    """The experiment as it is, then others from the least to the most sparing, each once.

    Copies of the model on every device exchange the least; the fewer copies, the more of the weights moves.
    On each mesh a batch in a few pieces costs little, recomputing blocks costs a third more operations, and
    many pieces leave each product small. Products spread over devices move activations, and come last.
    """
    given = Candidate.of(experiment)
    places = _left(experiment, target)
    rest = places // (given.fsdp * given.tensor)
    yield given
    seen = {given if given.data != -1 else dataclasses.replace(given, data=rest)}
    for candidate in _others(experiment, target, places):
        if candidate not in seen:
            seen.add(candidate)
            yield candidate


def _others(experiment: Experiment, target: Target, places: int) -> Iterator[Candidate]:
    batch, model = experiment.training.batch_size, experiment.model
    for tensor in (1, 2, 4, 8):
        rest = places // tensor
        if places % tensor or batch % rest or not _splits(model, tensor):
            continue
        pieces = [count for count in (2**power for power in range(16)) if batch % (count * rest) == 0]
        for data, fsdp in _meshes(rest, target.a_host // tensor, model.d_model):
            # A reversible stack recomputes as it is.
            yield from (Candidate(data, fsdp, tensor, "none", count) for count in pieces if count <= _FEW)
            if model.wiring != "reversible":
                yield from (Candidate(data, fsdp, tensor, "block", count) for count in pieces)


def _left(experiment: Experiment, target: Target) -> int:
    """Devices for data, fsdp and tensor: all but those that other axes of the mesh take."""
    taken = 1
    for name, size in vars(experiment.training.mesh).items():
        if name not in ("data", "fsdp", "tensor") and size > 1:
            taken *= size
    if experiment.training.mesh.seeds == -1 and experiment.seeds > 1:
        while taken < experiment.seeds and experiment.seeds % (2 * taken) == 0:
            taken *= 2
    return max(target.count // taken, 1)


def _meshes(rest: int, host: int, width: int) -> list[tuple[int, int]]:
    """data x fsdp: a copy on every device, on so many, on every host, as few copies as can be.

    A width that fsdp does not divide would stay whole on every device.
    """
    largest = math.gcd(rest, width)
    sizes = {1, math.gcd(host, largest), largest, *(4**power for power in range(1, 8))}
    return [(rest // fsdp, fsdp) for fsdp in sorted(sizes) if largest % fsdp == 0]


def _splits(model, tensor: int) -> bool:
    heads = (
        model.num_heads,
        model.attention.num_kv_heads or model.num_heads,
        model.encoder_heads or model.num_heads,
    )
    return all(count % tensor == 0 for count in heads)
