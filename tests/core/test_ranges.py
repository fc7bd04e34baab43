"""Every number of a configuration has its range: it is refused in one line, or what it gives is finite."""

import dataclasses
import math
import random
import typing

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.core import fields
from jaxgpt.core.choice import FieldError
from jaxgpt.models import ModelConfig, Transformer
from jaxgpt.nn.number import NumberEncoding
from jaxgpt.nn.position import Position
from jaxgpt.nn.sparse import Sparse
from jaxgpt.noise import Noise
from jaxgpt.noise.base import Marks
from jaxgpt.objectives import Objective
from jaxgpt.objectives.denoising import Denoising
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.tokenizers.vocabulary import Vocabulary
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.training_config import TrainingConfig, TuningConfig

TEXTS = (*"0123456789", "+", "-", "=", "$", "a")
TOKENS = jnp.asarray([[1, 2, 10, 3, 12, 5], [9, 11, 4, 12, 13, 0]])
VALUES = ("0", "-1", "1e9", "nan", "inf", "-inf", "1e-9")

#: Sizes: what is asked for is made, however long it takes.
SIZES = ("num_layers", "encoder_layers", "loops", "loop_blocks", "places", "rounds", "seed", "memory")
#: Where a member has too little room by default.
ARGUMENTS = {"coupled": {"max_position": "16", "max_offset": "5"}}


def numeric(hint) -> bool:
    """Whether a field holds numbers."""
    bare = fields._bare(hint)
    if typing.get_origin(bare) is not None:
        return typing.get_origin(bare) is not typing.Literal and any(map(numeric, typing.get_args(bare)))
    return bare in (int, float)


def cases(family) -> list:
    """Every numeric field of every member, but for those that are sizes."""
    return [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind in family.names()
        for name, hint in fields.hints(family.named(kind)).items()
        if numeric(hint) and name not in SIZES
    ]


def given(config, path: str):
    """The configurations that a field's values give, but for those refused, which must say so in a line."""
    for value in VALUES:
        try:
            yield value, fields.override(config, {path: value})
        except FieldError as error:
            check_refusal(error, path)


def check_refusal(error: ValueError, path: str) -> None:
    text = str(error).partition("\n---")[0]  # JAX adds a remark
    assert path.split(".")[-1] in text and "\n" not in text and len(text) < 300, text


def model(**values) -> ModelConfig:
    sizes = {"vocab-size": len(TEXTS), "max-length": 8, "d-model": 12, "num-heads": 2, "num-layers": 1}
    return fields.override(ModelConfig(), {name: str(v) for name, v in (sizes | values).items()})


def finite(config: ModelConfig, path: str) -> bool:
    """Whether a pass forward is; or a model is refused, or needs more memory than a test has."""
    try:
        graph, state = nnx.split(nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0))))
    except ValueError as error:  # what is known only where tables are made
        check_refusal(error, path)
        return True
    if sum(leaf.size for leaf in jax.tree.leaves(state)) > 1e6:
        return True
    rng = np.random.default_rng(0)
    state = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(0, 0.1, leaf.shape), leaf.dtype), state)
    drawn = path == "init_std"  # which is of a fresh model
    found = (Transformer(config, rngs=nnx.Rngs(0)) if drawn else nnx.merge(graph, state))(TOKENS)
    return bool(jnp.isfinite(found.logits).all())


@pytest.mark.parametrize(("kind", "name"), cases(Position))
def test_positions(kind, name):
    arguments = {f"position.{n}": v for n, v in ARGUMENTS.get(kind, {}).items()}
    config = model(position=kind, **arguments).for_vocabulary(Vocabulary(TEXTS))
    for value, changed in given(config, f"position.{name}"):
        assert finite(changed, name), value


@pytest.mark.parametrize("whole", ["window-position", "position.base"])
def test_a_scheme_inside_another_is_named_whole(whole):
    config = model(position="randomized" if "base" in whole else "rotary", window=4, window_layers="yes,no")
    with pytest.raises(FieldError, match=rf"\A{whole.replace('-', '_')}\.theta=0\.0 must be at least 1"):
        fields.override(config, {whole: "rotary", f"{whole}.theta": "0"})


@pytest.mark.parametrize(("kind", "name"), cases(Sparse))
def test_sparse_attention(kind, name):
    for value, changed in given(model(sparse=kind), f"sparse.{name}"):
        assert finite(changed, name), value


@pytest.mark.parametrize(
    "name", [n for n, hint in fields.hints(ModelConfig).items() if numeric(hint) and n not in SIZES]
)
def test_models(name):
    for value, changed in given(model(), name):
        assert finite(changed, name), value


@dataclasses.dataclass(frozen=True)
class Reads:
    """A tokenizer's file says how its numbers are read; no option does."""

    number: NumberEncoding | None = None


@pytest.mark.parametrize(("kind", "name"), cases(NumberEncoding))
def test_number_encodings(kind, name):
    cls = NumberEncoding.named(kind)
    config = fields.override(Reads(), {"number": kind})
    rng = np.random.default_rng(0)
    for value, changed in given(config, f"number.{name}"):
        number = changed.number
        params = {n: jnp.asarray(rng.normal(0, 0.1, t.shape)) for n, t in number.tables(d_model=128).items()}
        features = jnp.ones((2, number.size), cls.dtype)
        outputs = number.predict(params, number.embed(params, features))
        for array in (outputs, number.loss(outputs, features), number.choose(outputs)):
            assert jnp.isfinite(array).all(), value


@pytest.mark.parametrize(("kind", "name"), cases(Noise))
def test_noise(kind, name):
    config = fields.override(Denoising(), {"noise": kind})
    for value, changed in given(config, f"noise.{name}"):
        marks = Marks(tuple(range(100, 100 + min(changed.noise.count, 1000))), frozenset())
        source, _ = changed.noise.spoil(list(range(40)), random.Random(0), marks)
        assert len(source) < 4000, value


@pytest.mark.parametrize(("kind", "name"), cases(Objective))
def test_objectives(kind, name):
    for value, changed in given(Objective.named(kind)(), name):
        assert 0 <= getattr(changed, name) < math.inf, value
        loss = changed.training_loss(Vocabulary(TEXTS))
        assert jnp.isfinite(loss(jnp.ones((2, len(TEXTS))), jnp.asarray([1, 12]))).all(), value


@pytest.mark.parametrize(("rule", "name"), cases(Optimizer))
def test_optimizers(rule, name):
    params = {"a.kernel": jnp.ones((2, 2))}
    for value, changed in given(Optimizer.named(rule)(), name):
        update = changed.build(100, {"a.kernel": ("embed", "mlp")})
        found, _ = update.update(jax.tree.map(jnp.ones_like, params), update.init(params), params)
        assert jnp.isfinite(found["a.kernel"]).all(), value


@pytest.mark.parametrize(
    ("config", "name"),
    [
        pytest.param(config, name, id=f"{config.__name__}-{name}")
        for config in (TrainingConfig, MeshConfig, TuningConfig)
        for name, hint in fields.hints(config).items()
        if numeric(hint)
    ],
)
def test_training(config, name):
    for value, changed in given(config(), name):
        assert math.isfinite(getattr(changed, name)), value
