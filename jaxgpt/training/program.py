"""The compiled part of a run: initial state and chunks of training steps over flat dictionaries."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int

from jaxgpt.core import settings
from jaxgpt.models.template import Params, Template
from jaxgpt.nn import device_layout as layout
from jaxgpt.nn.kernels.platform import on_cpu, on_gpu
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.batches import Batch, gather, widened
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.parallel import sharding
from jaxgpt.tokenizers.vocabulary import Vocabulary
from jaxgpt.training import spikes
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.training_config import TrainingConfig
from jaxgpt.training.tuning import Tuning

State = dict[str, Any]

#: Random draws of one shape are not made in one kernel, which takes XLA minutes to compile for a GPU.
_APART = {"xla_disable_hlo_passes": "multi_output_fusion"}


@dataclasses.dataclass(frozen=True)
class Program:
    """Training of `seeds` replicas on a mesh; one replica has no leading dimension.

    Its state holds `params`, which are trained, `optimizer`, and where some weights are not trained, `kept`.

    Attributes:
      window: tokens a window of a stream predicts.
      vocabulary: that the objective's training loss may need to know.
    """

    template: Template
    optimizer: Optimizer
    training: TrainingConfig
    seeds: int
    mesh: Mesh
    window: int
    objective: Objective = NextToken()  # noqa: RUF009 - frozen
    vocabulary: Vocabulary = Vocabulary(())  # noqa: RUF009 - frozen

    def __post_init__(self):
        object.__setattr__(self, "schedule", self.optimizer.rate(self.training.steps))
        transformation = self.optimizer.build(self.training.steps, self.template.axes)
        object.__setattr__(self, "_transformation", transformation)
        tuning = Tuning(self.training.tuning, self.template.shapes, self.template.axes)
        object.__setattr__(self, "tuning", tuning)
        object.__setattr__(self, "_loss", self.objective.training_loss(self.vocabulary))

    @property
    def seed_keys(self) -> Array:
        """One key a replica. [R, ...]"""
        seeds = jnp.arange(self.training.seed, self.training.seed + self.seeds)
        return jax.vmap(jax.random.key)(seeds)

    def abstract(self) -> State:
        """Shapes, types and shardings of the state, without making it."""
        shapes = jax.eval_shape(self._init)
        shardings = sharding.state_shardings(shapes, self.template.axes, self.mesh, replicas=self.seeds > 1)
        return jax.tree.map(
            lambda leaf, where: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where),
            shapes,
            shardings,
        )

    def init(self, given: Params | None = None, each: Params | None = None) -> State:
        """The state before the first step, made in place on its devices.

        Args:
          given: weights that every replica starts from; those that are not among them are drawn.
          each: weights of each replica by itself; of several, with a leading dimension R.
        """
        where = jax.tree.map(lambda leaf: leaf.sharding, self.abstract())
        options = _APART | settings.for_one_call(on_cpu=on_cpu())
        return jax.jit(self._init, out_shardings=where, compiler_options=options)(given, each)

    def _init(self, given: Params | None = None, each: Params | None = None) -> State:
        def one(key, own):
            params = self.template.init(jax.random.fold_in(key, 0)) | (given or {}) | own
            params, kept = self.tuning.split(params, jax.random.fold_in(key, 2))
            state = {"params": params, "optimizer": self._transformation.init(params)}
            return state | ({"kept": kept} if kept else {})

        keys, own = self.seed_keys, each or {}
        return jax.vmap(one)(keys, own) if self.seeds > 1 else one(keys[0], own)

    def weights(self, state: State) -> Params:
        """All weights of the model, of every replica."""
        if self.tuning.all:
            return state["params"]
        join = jax.vmap(self.tuning.join) if self.seeds > 1 else self.tuning.join
        return join(state["params"], state["kept"])

    @property
    def _metrics(self) -> tuple[str, ...]:
        skipping = self.training.skip_spikes is not None
        return ("loss", "grad_norm", "weight", *(["skipped"] if skipping else []))

    def compile(self, data: Batch):
        """The chunk function compiled for this data: see `chunk`."""
        steps, size = self.training.chunk, self.training.batch_size
        where = jax.tree.map(lambda leaf: leaf.sharding, self.abstract())
        whole = sharding.replicated(self.mesh)
        metrics = dict.fromkeys(self._metrics, whole)
        options = settings.for_training(on_gpu=on_gpu()) or None
        function = jax.jit(
            self.chunk, donate_argnums=0, out_shardings=(where, metrics), compiler_options=options
        )
        abstract_data = jax.tree.map(
            lambda v: jax.ShapeDtypeStruct(v.shape, v.dtype, sharding=v.sharding), data
        )
        scalar = jax.ShapeDtypeStruct((), jnp.int32, sharding=whole)
        indices = jax.ShapeDtypeStruct((steps, self.seeds, size), jnp.int32, sharding=whole)
        return function.lower(self.abstract(), abstract_data, indices, scalar, scalar)

    def chunk(
        self,
        state: State,
        data: Batch,
        indices: Int[Array, "C R B"],
        first: Int[Array, ""],
        count: Int[Array, ""],
    ) -> tuple[State, dict[str, Array]]:
        """`count` <= C steps in one dispatch; step `first` is the first of them.

        The data is a table, of which the indices name each step's examples; or `{"batches": ...}`, which
        holds the examples of each step as [C, R, B, ...], spread over the mesh as the step wants them.

        The count is an argument, not a shape, so one compilation serves chunks of every length and a
        resumed run computes the same bits. Metrics are [C, R]; rows from `count` on are zero.
        """
        keys = self.seed_keys

        def body(i, carry):
            state, metrics = carry
            step_keys = jax.vmap(lambda k: jax.random.fold_in(jax.random.fold_in(k, 1), first + i))(keys)
            if "batches" in data:
                one = self.step
                given = {"data": jax.tree.map(lambda v: v[i], data["batches"])}
            else:
                one = partial(self.step, data=data)
                given = {"index": indices[i]}
            if self.seeds > 1:
                replicas = jax.vmap(one, spmd_axis_name=sharding.SEEDS_AXIS)
                state, new = replicas(state, **given, key=step_keys)
            else:
                state, new = one(state, **jax.tree.map(lambda v: v[0], given), key=step_keys[0])
                new = jax.tree.map(lambda v: v[None], new)
            return state, jax.tree.map(lambda buffer, v: buffer.at[i].set(v), metrics, new)

        empty = jnp.zeros((indices.shape[0], self.seeds), jnp.float32)
        metrics = dict.fromkeys(self._metrics, empty)
        return jax.lax.fori_loop(0, count, body, (state, metrics))

    def validation(self, state: State, data: Batch) -> Array:
        """Mean loss over all rows of a table, in pieces of the batch size. [R]"""
        rows = data["tokens"].shape[0]
        size = min(self.training.batch_size, rows)
        count = -(-rows // size)
        real = jnp.arange(count * size) < rows
        index = jnp.minimum(jnp.arange(count * size), rows - 1).reshape(count, size)

        def one(params):
            model = sharding.over_sequence(self.template.model(params), self.mesh, batch=False)

            def piece(xs):
                index, real = xs
                batch = gather(data, index, self.window)
                drawn = jax.random.fold_in(jax.random.key(0), index[0])
                batch = self.objective.draw(batch, self.template.config, drawn)
                losses = self.objective.losses(model, batch, most_logits=self.training.most_logits)
                weights = self.objective.weights(batch) * real[:, None]
                return (losses * weights).sum(), weights.sum()

            total, weight = jax.lax.map(piece, (index, real.reshape(count, size)))
            return total.sum() / jnp.maximum(weight.sum(), 1.0)

        params = self.weights(state)
        return jax.vmap(one)(params) if self.seeds > 1 else one(params)[None]

    def step(self, state: State, *, data, index: Int[Array, "B"] | None = None, key: jax.Array):
        """One update of one replica, on the examples of `data` that an index names, or on all of them."""
        pieces = self.training.accumulation
        batch = widened(data) if index is None else gather(data, index, self.window)
        drawn = jax.random.fold_in(key, 3)
        batch = self.objective.draw(batch, self.template.config, drawn)
        split = NamedSharding(self.mesh, PartitionSpec(sharding.BATCH_AXES))
        batch = jax.lax.with_sharding_constraint(batch, jax.tree.map(lambda _: split, batch))
        kept = state.get("kept", {})
        total = jnp.maximum(self.objective.weights(batch).sum(), 1.0)

        def loss(params, batch, key):
            model = self.template.model(self.tuning.join(params, kept))
            model = sharding.over_sequence(model, self.mesh)
            with layout.laying(partial(sharding.lay_rows, self.mesh)):
                losses = self.objective.losses(
                    model, batch, key, loss=self._loss, most_logits=self.training.most_logits
                )
            return (losses * self.objective.weights(batch)).sum() / total

        if pieces == 1:
            value, grads = jax.value_and_grad(loss)(state["params"], batch, key)
        else:
            batch = jax.tree.map(lambda v: v.reshape(pieces, -1, *v.shape[1:]), batch)
            # Else the pieces would be spread over devices, and each computed by all of them.
            split = NamedSharding(self.mesh, PartitionSpec(None, sharding.BATCH_AXES))
            batch = jax.lax.with_sharding_constraint(batch, jax.tree.map(lambda _: split, batch))

            def add(carry, piece):
                part, i = piece
                new = jax.value_and_grad(loss)(state["params"], part, jax.random.fold_in(key, i))
                return jax.tree.map(jnp.add, carry, new), None

            zero = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, state["params"]))
            (value, grads), _ = jax.lax.scan(add, zero, (batch, jnp.arange(pieces)))
        updates, optimizer = self._transformation.update(grads, state["optimizer"], state["params"])
        params = optax.apply_updates(state["params"], updates)
        metrics = {
            "loss": value.astype(jnp.float32),
            "grad_norm": optax.tree.norm(grads).astype(jnp.float32),
            "weight": total,
        }
        new = {"params": params, "optimizer": optimizer}
        if (largest := self.training.skip_spikes) is not None:
            old = {name: state[name] for name in new}
            norm = metrics["grad_norm"]
            new, skipped = spikes.without_spike(old, new, norm=norm, loss=value, largest=largest)
            metrics["skipped"] = skipped.astype(jnp.float32)
        return state | new, metrics
