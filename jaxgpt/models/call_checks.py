"""Checks of the arguments of a model's call."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.models.checks import unpackable
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import Features
from jaxgpt.nn.attention.cache import Cache


def check(
    config: ModelConfig,
    tokens: jax.Array,
    source: jax.Array | None,
    *,
    order: jax.Array | None,
    features: Features,
    documents: jax.Array | None,
    cache: Cache | None,
) -> None:
    """Raises ValueError for arguments of `Transformer.__call__` that do not fit the model or each other."""
    _check_kind(config, source, cache)
    # Several tokens that are visible apart may stand at one place, which `order` says.
    one_text = documents is None and (features.visible is None or order is None)
    _check_ids(config, "tokens", tokens, bounded=one_text and cache is None)
    if source is not None:
        _check_ids(config, "source", source, bounded=one_text)
    if features.visible is not None:
        _check_visible(config, tokens, features.visible)
    if features.global_tokens is not None:
        _check_global(config, tokens, jnp.asarray(features.global_tokens))
    if documents is not None:
        _check_documents(config, tokens, documents, order, cache)
    _check_numbers(config, tokens, features.numbers, "numbers")
    _check_numbers(config, source, features.source_numbers, "source_numbers")


def _check_kind(config, source, cache):
    if config.kind == "encoder" and cache is not None:
        raise ValueError("kind=encoder takes no cache: it reads all tokens at once")
    if config.kind == "encoder_decoder":
        if source is None and (cache is None or cache.source is None):
            raise ValueError("kind=encoder_decoder needs source=, the tokens of its encoder")
    elif source is not None:
        raise ValueError(f"kind={config.kind} takes no source")


def _check_ids(config, name, ids, *, bounded):
    """`bounded`: whether they are one text, which has a largest length."""
    if ids.ndim != 2 or not jnp.issubdtype(ids.dtype, jnp.integer):
        raise ValueError(f"{name} must be integers of shape [B, T], not {ids.dtype}{list(ids.shape)}")
    if bounded and ids.shape[1] > config.max_length:
        raise ValueError(
            f"{ids.shape[1]} {name} exceed model.max_length={config.max_length}; "
            "shorten them or train with a larger max_length"
        )
    if isinstance(ids, jax.core.Tracer) or not ids.size:
        return
    known = np.asarray(ids)  # numpy, because ids may be constants of a function that is traced
    low, high = int(known.min()), int(known.max())
    if low < 0 or high >= config.vocab_size:
        raise ValueError(
            f"{name} hold id {low if low < 0 else high}, outside the vocabulary of "
            f"{config.vocab_size}; was another tokenizer used?"
        )


def _check_global(config, tokens, global_tokens):
    sparse = config.sparse
    if config.kind != "encoder" or sparse is None or not sparse.sees_all:
        raise ValueError("global_tokens are of an encoder with sparse=longformer")
    if global_tokens.ndim != 2 or global_tokens.shape[0] != tokens.shape[0]:
        raise ValueError(f"global_tokens of shape {list(global_tokens.shape)} must be [B, G]")
    if isinstance(global_tokens, jax.core.Tracer):
        return
    if (last := int(np.asarray(global_tokens).max())) >= tokens.shape[1]:
        raise ValueError(f"global_tokens name the place {last} of {tokens.shape[1]} tokens")


def _check_visible(config, tokens, visible):
    if config.kind != "encoder" or config.sparse is not None:
        raise ValueError("visible is of an encoder without sparse, where any token may see any other")
    if (wanted := (*tokens.shape, tokens.shape[1])) != visible.shape:
        raise ValueError(f"visible of shape {list(visible.shape)} must be {list(wanted)}")


def _check_documents(config, tokens, documents, order, cache):
    if refusal := unpackable(config):
        raise ValueError(f"documents: {refusal}")
    if order is not None or cache is not None:
        raise ValueError("documents have an order of their own and are read at once: no order, no cache")
    if documents.shape != tokens.shape:
        raise ValueError(f"documents of shape {list(documents.shape)} must be {list(tokens.shape)}")
    if isinstance(documents, jax.core.Tracer):
        return
    counts = [np.bincount(row[row > 0]).max(initial=0) for row in np.asarray(documents)]
    if (longest := int(max(counts, default=0))) > config.max_length:
        raise ValueError(
            f"documents: one of {longest} tokens exceeds model.max_length={config.max_length}; shorten it or "
            "train with a larger max_length"
        )


def _check_numbers(config, tokens, numbers, name):
    number = config.number
    if number is None:
        if numbers is not None:
            raise ValueError(f"the model has no number encoding and takes no {name}")
    elif tokens is not None and (numbers is None or numbers.shape != (*tokens.shape, number.size)):
        given = "none" if numbers is None else f"of shape {list(numbers.shape)}"
        raise ValueError(
            f"number={type(number).kind()} needs {name} of shape {[*tokens.shape, number.size]}, "
            f"the features of its number tokens; there are {given}"
        )
