"""What a training costs, against sums by hand."""

import json
import re

import pytest
from planned import plan
from tiny_runs import one_line

from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers.lstm import LSTM
from jaxgpt.models.template import Template
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer
from jaxgpt.plan import targets
from jaxgpt.plan.costs import Cost, Rates, cost
from jaxgpt.plan.peaks import PEAKS
from jaxgpt.training.flops import formula


def test_a_day_on_two_devices_by_hand():
    """86,400 s x 100 TFLOP/s x 0.5 on each of two devices, at 3 dollars and 500 W."""
    rates = Rates(price=3, share=0.5, peak=100e12, watts=500)
    found = Cost(10, 1000, 2 * 86_400 * 50e12, "told", 2, rates)
    assert found.device_hours == pytest.approx(48)
    assert found.dollars == pytest.approx(144)
    assert found.kilowatt_hours == pytest.approx(24)
    lines = "\n".join(found.lines())
    assert "8.64 EFLOP = told" in lines and "48.0 device hours" in lines and "24.0 hours on 2" in lines
    assert "$144 = device hours x $3" in lines and "24.0 kWh" in lines


def test_a_training_costs_its_steps():
    facts = {"steps": 5, "tokens_a_step": 7, "parameters": 11, "model_flops_a_step": 13}
    facts |= {"model_flops_formula": "told"}
    found = cost(facts, 8, Rates.of(targets.parse("h100:8"), 1.0))
    assert (found.tokens, found.operations, found.formula) == (5 * 7, 5 * 13, "told")


WEIGHTS, LOGITS = "6 x weights x tokens, embeddings left out", "6 x width x vocabulary x tokens for logits"
ATTENTION = "12 x layers x width x length x tokens for attention"
PAIRS = "12 x width x pairs of a query and a key in all layers for attention"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, f"{WEIGHTS}, + {LOGITS} + {ATTENTION}"),
        ({"mixer": LSTM()}, f"{WEIGHTS}, + {LOGITS}"),
        ({"kind": "encoder", "head.weights": "none"}, f"{WEIGHTS}, + {ATTENTION}"),
        ({"mixer": LSTM(), "head.weights": "none"}, WEIGHTS),
        (
            {"loops": 2},
            f"{WEIGHTS.replace('tokens', 'loops x tokens')}, + {LOGITS} + "
            "12 x layers x loops x width x length x tokens for attention",
        ),
        ({"window": 3}, f"{WEIGHTS}, + {LOGITS} + {PAIRS}"),
        (
            {"sparse": Reformer()},
            f"{WEIGHTS}, + {LOGITS} + {PAIRS} + 2 x width x products with rotations for hashing",
        ),
        (
            {"sparse": Longformer()},
            f"{WEIGHTS.replace('tokens', 'times that each reads a token')}, + {LOGITS} + {PAIRS}",
        ),
        (
            {"wiring": "reversible", "head.weights": "separate"},
            f"{WEIGHTS}, + 6 x output weights x tokens for logits + {ATTENTION}",
        ),
        (
            {"kind": "encoder_decoder"},
            "6 x weights x times that each reads a token, embeddings left out, + 6 x width x vocabulary x "
            "tokens of the decoder for logits + 12 x layers x width x pairs of tokens for attention",
        ),
    ],
    ids=[
        "decoder",
        "recurrent",
        "no-head",
        "weights-alone",
        "loops",
        "window",
        "hashed",
        "near",
        "two-streams",
        "both-stacks",
    ],
)
def test_the_formula_has_the_terms_of_the_model(fields, told):
    config = made(ModelConfig, **{"vocab_size": 100, "num_layers": 2, "d_model": 64} | fields)
    source = 5 if config.kind == "encoder_decoder" else 0
    assert formula(config, Template(config).shapes, tokens=7, source=source) == told


def test_every_target_but_a_processor_has_a_peak():
    kinds = {kind for family in targets.FAMILIES for kind in family.usage}
    assert kinds - set(PEAKS) == {"cpu"} and set(PEAKS) <= kinds
    # A device of half a chip: eight cores of v2 are the 180 TFLOP/s that were sold as one Cloud TPU.
    assert 8 * PEAKS["v2"].flops == pytest.approx(180e12, rel=0.03)


#: Of one device, half a chip of v2, v3 and tpu7x: GiB on the label, GiB that a program may use, TFLOP/s of
#: dense products in bfloat16, watts. TPUs: docs.cloud.google.com/tpu/docs/v5e, v5p, v6e and tpu7x; v2 and v3:
#: Jouppi et al. 2020, Communications of the ACM 63(7), table 3; v4: Jouppi et al. 2023, arXiv 2304.01433,
#: table 4. GPUs: NVIDIA's data sheets of the A100, H100, H200 and B200 as SXM boards; where they give
#: TFLOP/s with sparsity, half of them. What may be used: libtpu 0.0.52, and what CUDA reports.
DATA_SHEETS = {
    "v2": (8, 7.48, 23, 140),
    "v3": (16, 15.48, 61.5, 225),
    "v4": (32, 30.75, 275, 192),
    "v5e": (16, 15.75, 197, None),
    "v5p": (95, 95.73, 459, None),
    "v6e": (32, 31.24, 918, None),
    "tpu7x": (96, 94.74, 1153.5, None),
    "a100-40": (40, 39.4, 312, 400),
    "a100-80": (80, 79.1, 312, 400),
    "h100": (80, 79.1, 989.4, 700),
    "h200": (141, 139.8, 989.4, 700),
    "b200": (180, 178.3, 2250, 1000),
}


@pytest.mark.parametrize("kind", PEAKS)
def test_a_device_is_that_of_its_data_sheet(kind, monkeypatch):
    monkeypatch.setenv("XLA_CLIENT_MEM_FRACTION", "1")  # all of a GPU
    usage = {kind: usage for family in targets.FAMILIES for kind, usage in family.usage.items()}
    label, usable, teraflops, watts = DATA_SHEETS[kind]
    memory = targets.parse(usage[kind]).memory / 2**30
    assert memory == pytest.approx(usable, abs=1e-6)
    assert 0.93 * label < memory < 1.01 * label
    assert PEAKS[kind].flops == pytest.approx(teraflops * 1e12) and PEAKS[kind].watts == watts


def test_what_is_given_stands_before_what_is_known():
    h200 = targets.parse("h200:8")
    assert Rates.of(h200, 2.0) == Rates(2.0, 0.4, 989.4e12, 700)
    assert Rates.of(h200, 2.0, share=0.5, peak=1e12, watts=9) == Rates(2.0, 0.5, 1e12, 9)
    assert "not known: --watts" in Cost(1, 1, 1e12, "", 1, Rates.of(targets.parse("v5e:2x2"), 1)).lines()[-1]


def test_a_plan_tells_the_cost_without_a_compiler(tmp_path):
    """Of a tiny encoder, for GPUs that nothing here compiles for."""
    sizes = {"model": "bert-base", "model__d_model": 16, "model__num_heads": 2, "model__num_layers": 1}
    sizes |= {"model__d_ff": 32, "model__max_length": 32, "model__vocab_size": 0}
    fields = sizes | {"objective": "masked", "objective__tokens": "random", "vocab": 100}
    fields |= {"training__steps": 30, "training__batch_size": 8, "candidates": 0, "price": 2.5}
    found, output = plan(tmp_path, "h200:2x4", "text", **fields)
    assert "candidates" not in found and "compiling" not in output
    done = found["cost"]
    # One block: 4 maps of 16x16 and 2 of 16x32 with their biases, and two norms; a norm of the embeddings is
    # left out. Then attention, and the logits of 100 ids and the mask.
    body = 4 * (256 + 16) + (512 + 32) + (512 + 16) + 2 * 32
    operations = 6 * body * 32 + 12 * 16 * 32 * 32 + 6 * 16 * found["vocab_size"] * 32
    assert done["tokens"] == 30 * 8 * 32 and done["operations"] == 30 * 8 * operations
    hours = done["operations"] / (0.4 * 989.4e12) / 3600
    assert done["device_hours"] == pytest.approx(hours) and done["dollars"] == pytest.approx(2.5 * hours)
    assert done["kilowatt_hours"] == pytest.approx(0.7 * hours)
    assert done["formula"] == f"{WEIGHTS}, + {LOGITS} + {ATTENTION}"
    for word in (done["formula"], "0.4 x 989.4 TFLOP/s", "device hours x $2.5", "700 W"):
        assert word in output
    assert json.loads((tmp_path / "plan.json").read_text()) == found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--price", "free"], "--price free: a positive number is needed"),
        (["--price", "1"], "the peak of cpu is not known; give --peak"),
        (["--price", "1", "--peak", "1", "--share", "40"], "--share 40: a part of the peak"),
        (["--watts", "5"], "--watts belongs to a cost: give --price"),
    ],
)
def test_mistakes_of_a_cost_end_in_one_line(jaxgpt, words, message):
    status, _, errors = jaxgpt("plan", "text", "--target", "cpu:2", "--candidates", "0", *words)
    assert status == 2 and re.search(re.escape(message), one_line(errors))


def test_epochs_of_data_that_are_not_there_cannot_be_counted():
    rates = Rates.of(targets.parse("h100:8"), 1.0)
    with pytest.raises(ValueError, match=r"give training\.steps"):
        cost({"steps": None}, 8, rates)
