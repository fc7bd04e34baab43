"""How a model is trained: which weights, the loop, the mesh."""

import dataclasses
import math
from typing import Annotated, ClassVar, Literal, Self

from jaxgpt.core.spacing import log_spaced
from jaxgpt.parallel.mesh_config import MeshConfig

#: What a 32-bit integer counts.
_MOST = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class TuningConfig:
    """Which weights are trained; the others stay as they were at the start.

    `lora` adds to each kernel that `maps` names a product of two narrow matrices and trains those alone (Hu
    et al. 2022, arXiv 2106.09685, section 4.1).
    """

    weights: Annotated[
        Literal["all", "head", "lora"], "all; the heads alone; or low-rank additions to some maps"
    ] = "all"
    rank: Annotated[int, "of the additions"] = 8
    alpha: Annotated[float, "they are multiplied by alpha / rank"] = 16.0
    maps: Annotated[tuple[str, ...], "which maps get one: query, key, value, out, up, gate, down, dense"] = (
        "query",
        "value",
    )

    def __post_init__(self):
        if self.rank < 1:
            raise ValueError(f"tuning.rank={self.rank} must be at least 1")
        if not 0 < self.alpha < math.inf:
            raise ValueError(f"tuning.alpha={self.alpha} must be positive and finite")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop: how long, on what, and what is written when."""

    #: A field that is given by name puts out another one that says the same.
    instead_of: ClassVar[dict[str, str]] = {"steps": "epochs"}

    steps: Annotated[int, "optimizer steps"] = 1000
    epochs: Annotated[float | None, "passes over the data, in place of steps; none: steps count"] = None
    batch_size: Annotated[int, "examples a step and seed; with packing, rows of examples"] = 64
    packing: Annotated[
        int | None, "tokens a row that several questions share, none of which sees another; none: one a row"
    ] = None
    seed: Annotated[int, "seed of the first replica; the others count up"] = 0
    data_seed: Annotated[int, "random seed of the generated examples"] = 0
    train_examples: Annotated[int, "examples drawn from a generated task for training"] = 100_000
    at_most: Annotated[
        int | None, "examples of a finite task that are trained on, drawn by data_seed; none: all of them"
    ] = None
    tuning: Annotated[TuningConfig, "which weights are trained"] = dataclasses.field(
        default_factory=TuningConfig
    )
    accumulation: Annotated[int, "pieces a batch is computed in, to save memory"] = 1
    logits_mib: Annotated[
        int, "logits held at once; more are computed piece by piece, twice, which needs less memory"
    ] = 1024
    skip_spikes: Annotated[
        float | None,
        "largest gradient norm, before clipping; updates above it or of NaN are skipped and counted; none: "
        "none is skipped, and NaN ends the run",
    ] = None
    chunk: Annotated[int, "steps a dispatch"] = 20
    log_every: Annotated[int, "steps between records"] = 20
    eval_every: Annotated[int, "steps between evaluations on validation; 0: only at the end"] = 0
    looks: Annotated[
        int, "evaluations on validation at steps spaced evenly on a log scale, for a learning curve; 0: none"
    ] = 0
    eval_examples: Annotated[int, "validation questions an evaluation"] = 256
    test_examples: Annotated[int, "held-out questions at the end; 0: no final evaluation"] = 1000
    extra_examples: Annotated[int, "questions beyond what was trained on, asked with the final ones"] = 300
    select_every: Annotated[int, "steps between looks at the task's selection questions; 0: never"] = 0
    select_examples: Annotated[int, "selection questions a look"] = 128
    sample_every: Annotated[int, "steps between samples; 0: only at the end"] = 0
    save_every: Annotated[
        int, "steps between checkpoints; 0: at the end, and now and then before, so that a crash loses little"
    ] = 0
    keep_last: Annotated[int, "newest checkpoints kept"] = 2
    keep_best: Annotated[int, "best checkpoints kept, by validation loss"] = 1
    keep_spaced: Annotated[
        int,
        "checkpoints kept besides, at steps spaced evenly on a log scale, to see how a model learns; 0: none",
    ] = 0
    on_device_mib: Annotated[int, "a larger data table stays on the host and is read batch by batch"] = 1024
    mesh: Annotated[MeshConfig, "devices"] = dataclasses.field(default_factory=MeshConfig)
    tensorboard: Annotated[bool, "also write TensorBoard records (extra: tensorboard)"] = False
    wandb: Annotated[bool, "also write to Weights & Biases (extra: wandb)"] = False

    @property
    def look_steps(self) -> tuple[int, ...]:
        """The steps of `looks`, from about a hundredth of the training to its end."""
        first = min(-(-self.steps // 100), self.steps + 1 - max(self.looks, 1))
        return log_spaced(self.looks, self.steps, first)

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps of `keep_spaced`, from about a thousandth of the training to its end."""
        first = min(-(-self.steps // 1000), self.steps + 1 - max(self.keep_spaced, 1))
        return log_spaced(self.keep_spaced, self.steps, first)

    @property
    def most_logits(self) -> int:
        """How many logits `logits_mib` is, at four bytes each."""
        return self.logits_mib * 2**18

    def of_steps(self, steps: int) -> Self:
        """The same for another number of steps, with no more in a chunk, looks or kept weights than those."""
        fewer = {name: min(getattr(self, name), steps) for name in ("chunk", "looks", "keep_spaced")}
        return dataclasses.replace(self, steps=steps, **fewer)

    def __post_init__(self):
        positive = (
            "steps",
            "batch_size",
            "train_examples",
            "accumulation",
            "chunk",
            "log_every",
            "logits_mib",
        )
        for name in (*positive, "select_examples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
            if getattr(self, name) > _MOST:
                raise ValueError(f"{name}={getattr(self, name):.3g} must be at most {_MOST:,}")
        counts = ("eval_every", "looks", "sample_every", "save_every", "eval_examples", "test_examples")
        for name in (
            *counts,
            "extra_examples",
            "keep_best",
            "keep_spaced",
            "select_every",
            "seed",
            "data_seed",
            "on_device_mib",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        if self.skip_spikes is not None and not 0 < self.skip_spikes < math.inf:
            raise ValueError(f"skip_spikes={self.skip_spikes} must be positive and finite, or none")
        if self.at_most is not None and self.at_most < 1:
            raise ValueError(f"at_most={self.at_most} must be at least 1, or none")
        if self.packing is not None and self.packing < 1:
            raise ValueError(f"packing={self.packing} must be at least 1, or none")
        if self.epochs is not None and not 0 < self.epochs < math.inf:
            raise ValueError(f"epochs={self.epochs} must be positive and finite, or none")
        if self.seed >= 2**31:  # JAX would drop the upper bits, and two seeds would be one
            raise ValueError(f"seed={self.seed} must be below 2**31")
        if self.keep_last < 1:
            raise ValueError(f"keep_last={self.keep_last} must be at least 1")
        for name, cure in (("looks", "look less often"), ("keep_spaced", "keep fewer")):
            if self.epochs is None and getattr(self, name) > self.steps:
                raise ValueError(
                    f"{name}={getattr(self, name)} is more than the steps={self.steps} there are; {cure}"
                )
        if self.batch_size % self.accumulation:
            raise ValueError(
                f"batch_size={self.batch_size} is not divisible by accumulation={self.accumulation}"
            )
