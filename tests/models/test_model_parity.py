"""The model against the independent implementation in `transformer_reference.py`."""

import jax
import numpy as np
import pytest
import transformer_reference
from model_building import arrays, build, config, padded, scheme

from jaxgpt.nn.position import Position

KINDS = ("decoder", "encoder", "encoder_decoder")
ROWS = [[1, 2, 10, 3, 4, 5, 12, 7], [9, 11, 1, 12, 13]]
SOURCES = [[3, 1, 4], [1, 5, 9, 2, 6, 5]]

#: Configurations; each field of the model appears here with a value that is not its default.
CASES = {
    **{
        f"{kind}-{wiring}": {"kind": kind, "wiring": wiring}
        for kind in KINDS
        for wiring in ("pre", "post", "res_post", "parallel", "parallel_apart")
    },
    **{
        name: {"mlp.activation": name}
        for name in ("relu", "gelu", "gelu_tanh", "silu", "reglu", "geglu", "geglu_tanh", "swiglu")
    },
    "rms": {"norm": "rms", "kind": "encoder_decoder"},
    "rms-post": {"norm": "rms", "wiring": "post", "norm_epsilon": 0.1},
    "epsilon": {"norm_epsilon": 0.1},
    "no-biases": {
        "norm_bias": False,
        "attention.bias": False,
        "attention.out_bias": False,
        "mlp.bias": False,
        "kind": "encoder_decoder",
    },
    "only-attention-bias": {"attention.out_bias": False, "mlp.bias": False},
    "separate-head": {"head.weights": "separate"},
    "separate-head-bias": {"head.weights": "separate", "head.bias": True},
    "tied-head-bias": {"head.bias": True, "kind": "encoder"},
    "one-kv-head": {"attention.num_kv_heads": 1},
    "all-kv-heads": {"attention.num_kv_heads": None},
    "own-head-dim": {"attention.head_dim": None, "d_model": 16},
    "scale": {"attention.scale": 1.0, "kind": "encoder_decoder"},
    "embedding-scale": {"embedding.scale": 3.5, "kind": "encoder_decoder"},
    "depths": {"kind": "encoder_decoder", "num_layers": 1, "encoder_layers": 3},
    "four-times-d-model": {"d_ff": None},
    "gpt-j": {
        "wiring": "parallel",
        "position": Position.named("rotary")(rotary_dim=4, pairing="interleaved"),
        "attention.bias": False,
        "attention.out_bias": False,
        "head.weights": "separate",
        "head.bias": True,
    },
}
POSITIONS = {
    "none": scheme("none"),
    "learned": scheme("learned"),
    "sinusoidal": scheme("sinusoidal"),
    "sinusoidal-split": scheme("sinusoidal", layout="split", theta=100.0),
    "rotary": scheme("rotary"),
    "rotary-interleaved": scheme("rotary", pairing="interleaved"),
    "rotary-partial": scheme("rotary", rotary_dim=4, theta=50.0),
    "relative": scheme("relative", num_buckets=8, max_distance=6),
    "alibi": scheme("alibi"),
}
for name, position in POSITIONS.items():
    for kind in KINDS:
        CASES[f"{name}-{kind}"] = {"position": position, "kind": kind}
        CASES[f"{name}-{kind}-window"] = {"position": position, "kind": kind, "window": 3}
CASES["alibi-six-heads"] = {"position": scheme("alibi"), "num_heads": 6, "attention.num_kv_heads": 3}
CASES["sinusoidal-odd-width"] = {"position": scheme("sinusoidal"), "d_model": 11}


@pytest.mark.parametrize("fields", CASES.values(), ids=CASES.keys())
def test_logits_agree_with_the_reference(fields):
    with jax.enable_x64(True):
        model = build(config(**fields, dtype="float64", param_dtype="float64"))
        tokens, order = padded(ROWS, ["right", "middle"], 8)
        source, given = None, {}
        if model.config.kind == "encoder_decoder":
            source, source_order = padded(SOURCES, ["left", "right"], 6)
            given = {"source": source, "source_order": source_order}
        got = np.asarray(model(tokens, order=order, **given).logits)
        params = arrays(model)
    assert got.dtype == np.float64
    for index, row in enumerate(ROWS):
        expected = transformer_reference.logits(
            model.config, params, row, None if source is None else SOURCES[index]
        )
        real = got[index][np.asarray(order[index]) >= 0]
        assert np.abs(real - expected).max() < 1e-10 * max(1, np.abs(expected).max())
