"""What some models do before the output matrix (google-research/bert, run_pretraining.py)."""

from flax import nnx
from jaxtyping import Array, Float

from jaxgpt.nn.linear import Linear
from jaxgpt.nn.mlp import activated
from jaxgpt.nn.norm import Norm


class HeadTransform(nnx.Module):
    """norm(f(x W + b)), from the residual stream (D) to the width of the embeddings (E).

    Args:
      activation: as in `MLP`; of a gated one its function alone.
    """

    def __init__(
        self,
        d_model: int,
        width: int,
        *,
        activation: str,
        norm: Norm,
        std: float | None,
        dtype="float32",
        param_dtype="float32",
        rngs: nnx.Rngs,
    ):
        types = {"dtype": dtype, "param_dtype": param_dtype, "rngs": rngs}
        self.dense = Linear({"embed": d_model}, {None: width}, std=std, bias=True, **types)
        self.activation = activation
        self.norm = norm

    def __call__(self, x: Float[Array, "... D"]) -> Float[Array, "... E"]:
        return self.norm(activated(self.activation, self.dense.product(x), self.dense.offset))
