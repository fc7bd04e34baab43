"""The training state as a checkpoint holds it: flat dictionaries of arrays."""

from typing import Any

import jax

State = dict[str, Any]


def flatten(state: State) -> dict[str, dict[str, Any]]:
    """The state as flat dictionaries, as it is stored."""
    leaves = jax.tree.leaves(state["optimizer"])
    return state | {"optimizer": {f"{i:05d}": leaf for i, leaf in enumerate(leaves)}}


def unflatten(flat: dict[str, dict[str, Any]], like: State) -> State:
    """The inverse of `flatten`; `like` gives the structure of the optimizer's state."""
    leaves = [flat["optimizer"][name] for name in sorted(flat["optimizer"])]
    optimizer = jax.tree.unflatten(jax.tree.structure(like["optimizer"]), leaves)
    return {name: dict(part) for name, part in flat.items()} | {"optimizer": optimizer}


def check_shapes(state: Any, like: Any) -> None:
    """Raises ValueError where an array has another shape or type than expected."""
    for (path, got), want in zip(
        jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(like), strict=True
    ):
        if got.shape != want.shape or got.dtype != want.dtype:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"{name} is {got.dtype}{got.shape}, expected {want.dtype}{want.shape}")
