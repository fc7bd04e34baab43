"""A model as boxes: its parts in the order in which a text goes through them, with their weights and taps."""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import jax
import jax.numpy as jnp
from flax import nnx

from jaxgpt.models.token_features import Features
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.block import Block
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.position import Position
from jaxgpt.nn.recurrent_cells import Cell, Reader
from jaxgpt.nn.tap import recorder

_NORMS = {"layer": "layer norm", "rms": "RMS norm", "rms_plus_one": "RMS norm, 1 + scale"}
#: Tokens that a model reads to show its taps.
_TOKENS = 16
Path = tuple[str | int, ...]
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Box:
    """A part of a model.

    Attributes:
      place: the block it is in, such as `decoder.3`; the stack, or "", for what stands outside.
      name: what it is.
      detail: its sizes and settings, in a few words.
      leaves: the name and the shape of each of its arrays.
      taps: names of the activations that a tap sees in it or behind it.
    """

    place: str
    name: str
    detail: str = ""
    leaves: tuple[tuple[str, Shape], ...] = ()
    taps: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Numbers in its arrays."""
        return sum(math.prod(shape) for _, shape in self.leaves)


@dataclasses.dataclass(frozen=True)
class Step:
    """Rows of boxes, one after the other; those of one row stand side by side.

    Attributes:
      total: where what went in is added to what comes out; None without such a connection.
    """

    rows: tuple[tuple[Box, ...], ...]
    total: Box | None = None

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (*(box for row in self.rows for box in row), *(() if self.total is None else (self.total,)))


@dataclasses.dataclass(frozen=True)
class Frame:
    """Steps that belong together.

    Attributes:
      stack: `encoder` or `decoder`; "" for what is of neither.
      index: of a block in its stack; None for what is no block.
      loops: times that a block is applied with the same weights.
    """

    stack: str
    index: int | None
    steps: tuple[Step, ...]
    loops: int = 1

    @property
    def boxes(self) -> tuple[Box, ...]:
        return tuple(box for step in self.steps for box in step.boxes)


def frames(model: Transformer) -> tuple[Frame, ...]:
    """All parts of a model, in order; every array of it is in exactly one box.

    The model may be abstract (`nnx.eval_shape`): nothing is computed.
    """
    reading = _Reading(model)
    found = [reading.frame("", None, _inputs(reading))]
    for role in ("encoder", "decoder"):
        stack = getattr(model, role)
        if stack is not None:
            found += _stack(reading, role, stack)
    found.append(reading.frame("", None, _outputs(reading)))
    rest = reading.box("", "other weights", "", [()], [""])
    if rest.leaves or rest.taps:
        found.append(Frame("", None, (Step(((rest,),)),)))
    return tuple(frame for frame in found if frame.steps)


class _Reading:
    """A model's arrays and taps, of which each goes into one box."""

    def __init__(self, model: Transformer):
        self.model = model
        self.leaves = _leaves(model)
        self.taps = list(_taps(model))

    def box(self, place: str, name: str, detail: str, paths: Iterable[Path], taps: Iterable[str] = ()) -> Box:
        """A box of all arrays below some paths, and all taps that begin so, that are in no box yet."""
        paths, taps = [*paths], tuple(taps)
        leaves = [path for path in self.leaves if any(path[: len(start)] == start for start in paths)]
        seen = tuple(tap for tap in self.taps if tap.startswith(taps)) if taps else ()
        self.taps = [tap for tap in self.taps if tap not in seen]
        shapes = tuple((".".join(map(str, path)), self.leaves.pop(path)) for path in leaves)
        return Box(place, name, detail, shapes, seen)

    def norm(self, place: str, norm: Norm | None, path: Path, taps: Iterable[str] = ()) -> list[Box]:
        """The box of a norm; none where it does nothing."""
        if norm is None or (norm.kind not in _NORMS and not any(self.taps_at(taps))):
            return []
        return [self.box(place, _NORMS.get(norm.kind, "no norm"), "", [path], taps)]

    def taps_at(self, starts: Iterable[str]) -> list[str]:
        """Taps that begin so and are in no box yet."""
        return [tap for tap in self.taps if tap.startswith(tuple(starts))]

    def frame(self, stack: str, index: int | None, boxes: Iterable[Box]) -> Frame:
        """Boxes one below the other."""
        return Frame(stack, index, tuple(Step(((box,),)) for box in boxes))


def _leaves(model: Transformer) -> dict[Path, Shape]:
    """The shape of each array by its path; stacked blocks are taken apart."""
    found: dict[Path, Shape] = {}
    _, state = nnx.split(model)
    for path, leaf in nnx.to_flat_state(state):
        shape = tuple(leaf.shape)
        if len(path) > 2 and path[1] == "blocks" and not isinstance(path[2], int):
            for index in range(shape[0]):
                found[(*path[:2], index, *path[2:])] = shape[1:]
        else:
            found[path] = shape
    return found


def _taps(model: Transformer) -> Mapping[str, jax.Array]:
    """What a tap sees of a few tokens; only shapes are computed."""
    config = model.config
    tokens = jnp.zeros((1, min(config.max_length, _TOKENS)), jnp.int32)
    numbers = None
    if config.number is not None:
        numbers = jnp.zeros((*tokens.shape, config.number.size), config.number.dtype)
    both = config.kind == "encoder_decoder"
    features = Features(numbers=numbers, source_numbers=numbers if both else None)
    graph, state = nnx.split(model)
    seen, tap = recorder()

    def run(state):
        given = {"source": tokens} if both else {}
        return nnx.merge(graph, state)(tokens, features=features, tap=tap, **given).hidden

    jax.eval_shape(run, state)
    return seen


def _inputs(reading: _Reading) -> list[Box]:
    config = reading.model.config
    found = [reading.box("", "token embedding", f"{config.vocab_size:,} ids", [("embedding",)])]
    if reading.model.segments is not None:
        found.append(reading.box("", "segments", f"{config.segments} kinds", [("segments",)]))
    if config.number is not None:
        found.append(reading.box("", "numbers", type(config.number).kind(), [("number",)]))
    return found


def _outputs(reading: _Reading) -> list[Box]:
    model, config = reading.model, reading.model.config
    found = []
    if model.head_transform is not None:
        detail = f"{config.hidden_width} -> {config.resolved_embedding_width}, {config.mlp.activation}"
        found.append(reading.box("", "map before the head", detail, [("head_transform",)]))
    if config.head.weights != "none":
        tied = "" if model.head is not None else ", the weights of the embedding"
        detail = f"{config.vocab_size:,} logits{tied}"
        found.append(reading.box("", "head", detail, [("head",), ("head_bias",)], ["logits"]))
    if model.pooler is not None:
        found.append(reading.box("", "pooler", config.pooler_activation, [("pooler",)]))
    if model.labels is not None:
        found.append(reading.box("", "labels", f"{config.num_labels} labels", [("labels",)]))
    return found


def _stack(reading: _Reading, role: str, stack: nnx.Module) -> list[Frame]:
    norm = getattr(stack, "embedding_norm", None)
    begun = [f"{role}.embedding"]
    positions = reading.box(
        role,
        f"positions: {type(stack.position).kind()}",
        _told(stack.position),
        [(role, "tables")],
        [] if norm is not None else begun,
    )
    boxes = [positions, *reading.norm(role, norm, (role, "embedding_norm"), begun)]
    if getattr(stack, "widen", None) is not None:
        config = reading.model.config
        detail = f"{config.resolved_embedding_width} -> {config.d_model}"
        boxes.append(reading.box(role, "map to the width of the blocks", detail, [(role, "widen")]))
    found = [reading.frame(role, None, boxes)]
    loops = getattr(stack.config, "loops", 1)
    count = getattr(stack, "num_blocks", len(stack.blocks) if isinstance(stack.blocks, nnx.List) else 1)
    size = stack.config.loop_blocks or count
    for index in range(count):
        block = stack.blocks[index] if isinstance(stack.blocks, nnx.List) else stack.blocks
        # Of each group of blocks that are looped together, all are applied before the first comes again.
        first = index // max(size, 1) * size * loops + index % max(size, 1)
        places = [f"{role}.{first + size * loop}" for loop in range(loops)]
        steps = _block(reading, role, index, block, places, stack)
        found.append(Frame(role, index, steps, loops))
    ends = reading.norm(role, stack.norm, (role, "norm"), [f"{role}.norm"])
    rest = reading.box(role, "other weights", "", [(role,)], [f"{role}."])
    found.append(reading.frame(role, None, [*([rest] if rest.leaves or rest.taps else []), *ends]))
    return found


def _told(position: Position) -> str:
    """How a scheme tells where tokens stand."""
    ways = (
        ("embed", "added to the embeddings"),
        ("rotate", "queries and keys are turned"),
        ("bias", "added to the scores"),
    )
    return ", ".join(
        told for name, told in ways if getattr(type(position), name) is not getattr(Position, name)
    )


def _block(reading, role, index, block, places, stack) -> tuple[Step, ...]:
    path, place = (role, "blocks", index), f"{role}.{index}"
    if isinstance(block, Block):
        return _transformer_block(reading, block, path, place, places, stack)
    if isinstance(block, Cell):
        name, width = block.kind.upper(), block.width
        backwards = getattr(stack, "backwards", None)
        if backwards:
            # Each side reads the whole text, so both stand beside each other.
            one = reading.box(place, f"{name}, forwards", f"width {width}", [path])
            taps = [f"{p}." for p in places]
            other = reading.box(
                place, f"{name}, backwards", f"width {width}", [(role, "backwards", index)], taps
            )
            return (Step(((one, other),)),)
        detail = f"width {width}"
    elif isinstance(block, Reader):
        name, detail = "attention to the source", f"{block.cell.kind.upper()}, width {block.cell.width}"
    else:
        name, detail = f"{type(block).__name__} layer", ""
    return (Step(((reading.box(place, name, detail, [path], [f"{p}." for p in places]),),)),)


def _transformer_block(reading, block, path, place, places, stack) -> tuple[Step, ...]:
    def taps(name):
        return [f"{p}.{name}" for p in places]

    def norm(index):
        return reading.norm(place, block.norms[index], (*path, "norms", index))

    heads, index = block.attention.config, path[-1]
    detail = f"{stack.config.num_heads} heads x {heads.head_dim}"
    if heads.num_kv_heads != stack.config.num_heads:
        detail += f", {heads.num_kv_heads} for keys and values"
    layers = stack.config.window_layers
    if stack.config.window is not None and (not layers or layers[index % len(layers)]):
        near = f", window {stack.config.window}"
    else:
        near = "" if stack.config.sparse is None else f", {type(stack.config.sparse).kind()}"
    sublayers = [reading.box(place, "attention", detail + near, [(*path, "attention")], taps("attention."))]
    if block.cross is not None:
        name = "attention to the encoder's output"
        sublayers.append(reading.box(place, name, detail, [(*path, "cross")], taps("cross_attention.")))
    width, inner = (block.mlp.up.kernel.shape[side] for side in (-2, -1))
    told = f"{width} -> {inner} -> {width}, {block.mlp.activation}"
    sublayers.append(reading.box(place, "MLP", told, [(*path, "mlp")], taps("mlp.")))

    count, wiring = len(sublayers), block.wiring
    if wiring in ("parallel", "parallel_apart"):
        norms = tuple(box for i in range(len(block.norms)) for box in norm(i))
        rows = (*([norms] if norms else []), tuple(sublayers))
        return (Step(rows, reading.box(place, "sum", "", [], taps("residual"))),)
    steps = []
    for i, sublayer in enumerate(sublayers):
        before = norm(i) if wiring in ("pre", "sandwich", "reversible") else []
        inside = norm(i) if wiring == "res_post" else norm(count + i) if wiring == "sandwich" else []
        last = taps("residual") if i == count - 1 else []
        stream = f"of stream {i + 1}" if wiring == "reversible" else ""
        if wiring == "post":
            steps.append(Step(((sublayer,),), Box(place, "sum")))
            after = reading.norm(place, block.norms[i], (*path, "norms", i), last)
            steps += [Step(((box,),)) for box in after]
        else:
            rows = tuple((box,) for box in (*before, sublayer, *inside))
            steps.append(Step(rows, reading.box(place, "sum", stream, [], last)))
    return tuple(steps)
