"""Every check across the fields of a model's description."""

import dataclasses
import math
from typing import TYPE_CHECKING

from jaxgpt.core import nested
from jaxgpt.core.fields import renamed
from jaxgpt.nn.position import Position

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


#: What no model has more of; of everything else a 32-bit integer counts.
_MOST = {"num_layers": 10_000, "encoder_layers": 10_000, "loops": 10_000}


def check(config: "ModelConfig") -> None:
    """Raises ValueError for fields that do not fit together; the message holds the values and the way out."""
    for part, prefix in ((config, ""), (config.attention, "attention."), (config.embedding, "embedding.")):
        for field in dataclasses.fields(part):
            value, most = getattr(part, field.name), _MOST.get(field.name, 2**31 - 1)
            if type(value) is int and value > most:
                raise ValueError(f"{prefix}{field.name}={value:.3g} must be at most {most:,}")
    for name in ("max_length", "num_layers", "loops", "d_model", "num_heads"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)} must be at least 1")
    for name in (
        *("encoder_layers", "encoder_heads", "encoder_d_ff", "d_ff"),
        *("window", "loop_blocks", "memory", "segment"),
    ):
        if getattr(config, name) is not None and getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)} must be at least 1, or none")
    for name in ("num_heads", "encoder_heads"):
        heads = getattr(config, name) or config.num_heads
        if config.attention.head_dim is None and config.d_model % heads:
            raise ValueError(
                f"d_model={config.d_model} is not divisible by {name}={heads}; "
                "change one of them or set attention.head_dim"
            )
        groups = config.attention.num_kv_heads
        if groups is not None and heads % groups:
            raise ValueError(f"{name}={heads} is not divisible by attention.num_kv_heads={groups}")
    _check_maps(config)
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout={config.dropout} must be at least 0 and below 1")
    if not 0 <= config.norm_epsilon < math.inf:
        raise ValueError(f"norm_epsilon={config.norm_epsilon} must be at least 0 and finite")
    if config.init_std is not None and not 0 <= config.init_std < math.inf:
        raise ValueError(f"init_std={config.init_std} must be at least 0 and finite, or none")
    narrow, head = config.embedding.width, config.head
    if narrow is not None and not head.transform and head.weights != "none":
        raise ValueError(
            f"embedding.width={narrow} needs head.transform=true, which gives the output matrix that width"
        )
    for name in ("segments", "labels", "marks"):
        if getattr(config, name) < 0:
            raise ValueError(f"{name}={getattr(config, name)} must be at least 0")
    if config.label_names and config.labels not in (0, len(config.label_names)):
        raise ValueError(
            f"labels={config.labels}, but {len(config.label_names)} names of labels; leave labels at 0"
        )
    if config.pooler and config.labels_from == "each":
        raise ValueError("pooler=true needs one token to pool; set labels_from=first or last")
    if config.pooler_activation != "tanh" and not config.pooler:
        raise ValueError(f"pooler_activation={config.pooler_activation} needs pooler=true")
    _check_layers(config)
    config.mixer.check(config)
    _check_long(config)
    _check_clusters(config)
    if config.vocab_size < 0:
        raise ValueError(f"vocab_size={config.vocab_size} must be positive, or 0 for the tokenizer's")
    for name in ("encoder_layers", "encoder_heads", "encoder_d_ff"):
        if getattr(config, name) is not None and config.kind != "encoder_decoder":
            raise ValueError(f"{name}={getattr(config, name)} needs kind=encoder_decoder, not {config.kind}")
    shape = {"head_dim": config.resolved_head_dim, "num_heads": config.num_heads}
    config.position.check(**shape)
    if config.kind != "decoder":
        config.position.in_encoder().check(**shape)
    if config.window_position is not None:
        with renamed("position", "window_position"):
            config.window_position.check(**shape)
    if config.number is not None:
        config.number.check(d_model=config.d_model)
        if narrow is not None:
            raise ValueError(f"embedding.width={narrow}: numbers enter at d_model; use none")


def _check_maps(config: "ModelConfig") -> None:
    """Without maps a head is a part of the tokens' vectors, and there is one kind of it."""
    if config.attention.maps == "learned":
        return
    plain = {
        "kind": config.kind != "encoder_decoder",
        "attention.num_kv_heads": config.attention.num_kv_heads in (None, config.num_heads),
        "attention.head_dim": config.resolved_head_dim * config.num_heads == config.d_model,
    }
    wrong = [f"{name}={nested.value(config, name)}" for name, fits in plain.items() if not fits]
    if config.sparse is not None:
        wrong.append(f"sparse={type(config.sparse).kind()}")
    if wrong:
        raise ValueError(f"attention.maps=none does not go with {', '.join(wrong)}; leave the default")


def _check_layers(config):
    if config.loop_blocks is not None:
        for name in ("num_layers", "encoder_layers"):
            if (getattr(config, name) or 0) % config.loop_blocks:
                raise ValueError(
                    f"{name}={getattr(config, name)} is not divisible by loop_blocks={config.loop_blocks}"
                )
        if config.injection:
            raise ValueError("injection=true loops all blocks together; set loop_blocks=none")
    for name in ("window_layers", "window_position"):
        if getattr(config, name) and config.window is None:
            raise ValueError(f"{name} says where the window is, and there is none; set window")
    if config.window_layers and config.layers == "scanned":
        raise ValueError("window_layers makes layers differ; set layers=unrolled")
    if config.window_position is not None:
        if not config.window_layers:
            raise ValueError("window_position is for some of the layers; set window_layers, or position")
        for name in ("position", "window_position"):
            if type(getattr(config, name)).assign is not Position.assign:
                kind = type(getattr(config, name)).kind()
                raise ValueError(f"{name}={kind} does not count tokens alone; both schemes must")
        near, kind = config.window_position, type(config.window_position).kind()
        shape = {"d_model": config.d_model, "num_heads": config.num_heads}
        if near.tables(**shape, max_length=config.max_length) or near.layer_tables(
            **shape, head_dim=config.resolved_head_dim
        ):
            raise ValueError(f"window_position={kind} has learned tables; use one without, such as rotary")
        if type(near).embed is not Position.embed:
            raise ValueError(
                f"window_position={kind} adds to the embeddings, which all layers share; use one that acts "
                "in attention, such as rotary"
            )


def _check_long(config):
    """What is made for long texts."""
    plain = {
        "kind": config.kind != "encoder_decoder",
        "layers": config.layers == "unrolled",
        "attention.num_kv_heads": config.attention.num_kv_heads in (None, config.num_heads),
        "attention.softcap": config.attention.softcap is None,
        "window": config.window is None,
        "memory": config.memory is None,
    }
    if config.sparse is not None:
        wrong = [f"{name}={nested.value(config, name)}" for name, fits in plain.items() if not fits]
        kind = type(config.sparse).kind()
        if wrong:
            raise ValueError(f"sparse={kind} does not go with {', '.join(wrong)}; leave the default")
        _check_shared_keys(config)
        if config.kind == "encoder" and config.sparse.sees_all and not config.position.takes_gaps:
            position = type(config.position).kind()
            raise ValueError(
                f"sparse={kind} has tokens that are seen from afar, and position={position} knows near ones "
                "alone; use another, such as rotary or learned"
            )
    if config.wiring == "reversible":
        fits = plain["kind"] and plain["layers"] and config.loops == 1 and config.number is None
        if not fits or (config.head.weights == "tied" and not config.head.transform):
            raise ValueError(
                "wiring=reversible has two streams: it needs kind decoder or encoder, layers=unrolled, "
                "loops=1, no number encoding, and head.weights=separate, none, or head.transform=true"
            )
    if config.memory is not None and (config.kind != "decoder" or config.position.size is not None):
        raise ValueError("memory is a decoder's, with a position scheme that counts on without end")
    if config.segment is not None and config.memory is None:
        raise ValueError(f"segment={config.segment} needs memory, which joins segments")
    if config.segment is not None and config.number is not None:
        kind = type(config.number).kind()
        raise ValueError(
            f"segment={config.segment} reads tokens without numbers, and the tokenizer's number={kind} has "
            "some; set segment=none, or use another tokenizer"
        )
    if config.segment is not None and config.position.largest_offset:
        kind = type(config.position).kind()
        raise ValueError(
            f"segment={config.segment} would have position={kind} draw another offset for each segment; set "
            "position.max_offset=0 or segment=none"
        )


def _check_shared_keys(config):
    """Refuses what is not read where keys are queries: such keys have length 1, and no bias is added."""
    count = config.num_encoder_layers if config.kind == "encoder" else config.num_layers
    if not any(map(config.sparse.shares_keys, range(count))):
        return
    attention, kind = config.attention, type(config.sparse).kind()
    size = config.loop_blocks or count
    for index in range(count):
        # How deep the block stands each time that it is applied.
        first = (index - index % size) * config.loops + index % size
        shared = {config.sparse.shares_keys(first + loop * size) for loop in range(config.loops)}
        if shared != {config.sparse.shares_keys(index)}:
            raise ValueError(
                f"with loops={config.loops} layer {index} of sparse={kind} is of two kinds; have "
                f"{'loop_blocks' if config.loop_blocks else 'the number of layers'} a multiple of the kinds "
                "that sparse.layers repeats, or loops=1"
            )
    plain = {
        "attention.scale": attention.scale in (None, config.resolved_head_dim**-0.5),
        "attention.factor": attention.factor == 1,
        "attention.qk_norm": not attention.qk_norm,
    }
    wrong = [f"{name}={nested.value(config, name)}" for name, fits in plain.items() if not fits]
    if config.position.biased:
        wrong.insert(0, f"position={type(config.position).kind()}, which adds to scores")
    if wrong:
        raise ValueError(
            f"sparse={kind} has layers whose keys are their queries, and they do not go with "
            f"{', '.join(wrong)}; leave the default, or have no such layers (sparse.layers=local)"
        )


def _check_clusters(config):
    embedding = config.embedding
    if embedding.kind == "parabola" and config.resolved_embedding_width < 2:
        raise ValueError("embedding.kind=parabola has two dimensions; make the embeddings 2 wide or more")
    if embedding.kind != "adaptive":
        return
    cutoffs, factor = embedding.cutoffs, embedding.cutoff_factor
    if config.vocab_size and cutoffs and cutoffs[-1] >= config.vocab_size:
        raise ValueError(f"embedding.cutoffs={cutoffs} must lie below vocab_size={config.vocab_size}")
    if config.d_model // factor ** len(cutoffs) < 1:
        raise ValueError(
            f"embedding.cutoff_factor={factor} leaves no width to the last of {len(cutoffs) + 1} clusters; "
            "make it smaller"
        )
    if config.head.weights == "separate" or embedding.width is not None or config.head.transform:
        raise ValueError(
            "embedding.kind=adaptive has its own head: use head.weights=tied or none, and d_model wide"
        )


def unpackable(config: "ModelConfig") -> str:
    """Why a model cannot read rows of several documents, in words that name the way out; "" if it can."""
    if config.kind != "decoder":
        return f"kind={config.kind} reads a row as one text; only kind=decoder tells documents apart"
    if refusal := config.mixer.unpackable(config):
        return refusal
    if config.num_labels or config.pooler:
        return f"labels={config.num_labels}, pooler={config.pooler} are of a row as a whole; leave them out"
    return ""
