"""Recurrent cells, and attention by a recurrent state.

LSTM: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000. GRU: Cho et al. 2014, arXiv
1406.1078, in the form of PyTorch and cuDNN: the reset gate acts behind the hidden map and its bias. RNN:
Elman 1990, h' = tanh(W x + U h + b).
"""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxgpt.nn.linear import Linear

#: The maps that each kind of cell makes of its input and of its state.
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class State:
    """What a recurrent layer remembers: its output, and of an LSTM its cell."""

    hidden: Float[Array, "B D"]
    cell: Float[Array, "B D"] | None = None


class Cell(nnx.Module):
    """One layer's map from an input and a state to the next state.

    Args:
      kind: `lstm`, whose gates are input, forget, cell, output; `gru`: reset, update, new; or `rnn`: new.
      inputs: width of the input.
    """

    def __init__(
        self, kind: str, inputs: int, d_model: int, *, std: float | None, dtype, param_dtype, rngs: nnx.Rngs
    ):
        gates = {"gates": GATES[kind], "mlp": d_model}
        types = {"std": std, "bias": True, "dtype": dtype, "param_dtype": param_dtype, "rngs": rngs}
        self.input = Linear({"embed": inputs}, gates, **types)
        self.hidden = Linear({"embed": d_model}, gates, **types)
        self.kind = kind
        self.width = d_model

    def start(self, batch: int, dtype) -> State:
        """Zeros."""
        zeros = jnp.zeros((batch, self.width), dtype)
        return State(zeros, zeros if self.kind == "lstm" else None)

    def step(self, state: State, given: Float[Array, "B G D"]) -> State:
        """The state after an input, of which `input` was already made."""
        own = self.hidden(state.hidden)
        if self.kind == "lstm":
            i, f, g, o = jnp.moveaxis(given + own, 1, 0)
            cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            return State(jax.nn.sigmoid(o) * jnp.tanh(cell), cell)
        if self.kind == "rnn":
            return State(jnp.tanh(given + own)[:, 0])
        (r, z, n), (own_r, own_z, own_n) = jnp.moveaxis(given, 1, 0), jnp.moveaxis(own, 1, 0)
        z = jax.nn.sigmoid(z + own_z)
        new = jnp.tanh(n + jax.nn.sigmoid(r + own_r) * own_n)
        return State((1 - z) * new + z * state.hidden)

    def __call__(
        self,
        x: Float[Array, "B T I"],
        real: Bool[Array, "B T"],
        state: State,
        *,
        backwards: bool = False,
    ) -> tuple[Float[Array, "B T D"], State]:
        """The outputs for a sequence and the last state, which tokens that are not real do not change."""

        def step(state, xs):
            given, real = xs
            state = keep(real, self.step(state, given), state)
            return state, state.hidden

        xs = jnp.moveaxis(self.input(x), 1, 0), jnp.moveaxis(real, 1, 0)
        state, outputs = jax.lax.scan(step, state, xs, reverse=backwards)
        return jnp.moveaxis(outputs, 0, 1), state


def keep(real: Bool[Array, "B"], new: State, old: State) -> State:
    """The new state of the rows whose token is real, the old one of the others."""
    return jax.tree.map(lambda a, b: jnp.where(real[:, None], a, b), new, old)


class Reader(nnx.Module):
    """A cell that looks at a source before each step (Bahdanau et al. 2015, arXiv 1409.0473, appendix A).

    With the state s before the step, e = v^T tanh(W s + U h) is the score of source annotation h, c the
    annotations weighted by the softmax of it, and the output maxout(A s + B x + C c); then s goes on with the
    input (x, c).

    Args:
      annotations: width of the source's annotations.
    """

    def __init__(
        self,
        kind: str,
        annotations: int,
        d_model: int,
        *,
        std: float | None,
        dtype,
        param_dtype,
        rngs: nnx.Rngs,
    ):
        types = {"std": std, "dtype": dtype, "param_dtype": param_dtype, "rngs": rngs}
        self.cell = Cell(kind, d_model + annotations, d_model, **types)
        self.query = Linear({"embed": d_model}, {"mlp": d_model}, bias=True, **types)
        self.key = Linear({"embed": annotations}, {"mlp": d_model}, bias=False, **types)
        self.score = Linear({"mlp": d_model}, {None: 1}, bias=False, **types)
        self.out = Linear({"embed": 2 * d_model + annotations}, {"mlp": 2 * d_model}, bias=True, **types)

    def __call__(
        self,
        x: Float[Array, "B T D"],
        real: Bool[Array, "B T"],
        state: State,
        annotations: Float[Array, "B Z A"],
        mask: Bool[Array, "B Z"],
    ) -> tuple[Float[Array, "B T D"], State, Float[Array, "B T Z"]]:
        """The outputs, the last state, and the weights of the source's annotations."""
        keys = self.key(annotations)

        def step(state, xs):
            x, real = xs
            scores = self.score(jnp.tanh(self.query(state.hidden)[:, None] + keys))[..., 0]
            weights = jax.nn.softmax(jnp.where(mask, scores, -1e30), axis=-1)
            context = jnp.einsum("bz,bza->ba", weights, annotations)
            both = self.out(jnp.concatenate([state.hidden, x, context], axis=-1))
            output = both.reshape(*both.shape[:-1], -1, 2).max(axis=-1)
            new = self.cell.step(state, self.cell.input(jnp.concatenate([x, context], axis=-1)))
            return keep(real, new, state), (output, weights)

        xs = jnp.moveaxis(x, 1, 0), jnp.moveaxis(real, 1, 0)
        state, (outputs, weights) = jax.lax.scan(step, state, xs)
        return jnp.moveaxis(outputs, 0, 1), state, jnp.moveaxis(weights, 0, 1)
