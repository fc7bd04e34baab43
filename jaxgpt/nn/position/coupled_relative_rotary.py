"""Position coupling as a bias of attention and rotary positions together."""

import dataclasses
from typing import Annotated

import jax.numpy as jnp

from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.nn.position.rotary import Rotary

#: Times the order it must fit into 32 bits.
_LARGEST_WEIGHT = 2**12


@dataclasses.dataclass(frozen=True)
class CoupledRelativeRotary(CoupledRelative):
    """The bias of `CoupledRelative` and rotary attention (Su et al. 2021, arXiv 2104.09864).

    The bias finds the digits of one weight; what it cannot tell is which of several numbers a digit belongs
    to, which is the minuend and which the partial product. Their places do. `coupled_rotary` joins learned
    vectors and rotary positions in the same way.

    A position holds both: its quotient by `max_weight` is the order, its remainder the weight. Digits of
    larger weights share the last one.
    """

    max_weight: Annotated[int, "weights told apart; digits and one"] = 64

    def check(self, *, head_dim, num_heads):
        super().check(head_dim=head_dim, num_heads=num_heads)
        Rotary().check(head_dim=head_dim, num_heads=num_heads)
        if not 2 <= self.max_weight <= _LARGEST_WEIGHT:
            raise ValueError(
                f"position.max_weight={self.max_weight} must be at least 2 and at most {_LARGEST_WEIGHT}"
            )

    def assign(self, tokens, order, carry, key):
        weights, carry = super().assign(tokens, order, carry, key)
        return jnp.minimum(weights, self.max_weight - 1) + self.max_weight * jnp.maximum(order, 0), carry

    def rotate(self, params, q, k, q_positions, k_positions):
        q_order, k_order = q_positions // self.max_weight, k_positions // self.max_weight
        return Rotary().rotate(params, q, k, q_order, k_order)

    def bias(self, params, q, k, q_positions, k_positions):
        return super().bias(params, q, k, q_positions % self.max_weight, k_positions % self.max_weight)
