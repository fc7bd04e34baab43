"""Each field of a `config.json` changed alone: which values are tried, and what becomes of them here.

`field_outcomes.json` keeps what became of each: "refused", or the fields of ours that changed with it. The
tests marked `transformers` compute both models; the default run reads the fields alone.
"""

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.load import config_of, family_of

FILE = Path(__file__).parent / "field_outcomes.json"
#: In place of a value: the field is not there.
ABSENT = "(absent)"
#: A family is tried with each of these models; one row is all that a new family needs.
BASES = (
    *("gpt2", "openai-gpt", "gpt_neo", "gptj", "llama", "mistral", "qwen3", "gemma", "gemma2", "gemma3_text"),
    *("bert", "bert-text-labels", "roberta", "roberta-text-labels", "albert", "bart", "bart-text-labels"),
    *("marian", "t5", "t5-v1_1", "longformer", "reformer", "reformer-local", "transfo_xl"),
    *("qwen2", "gpt_neox", "opt", "olmo2", "phi3", "distilbert", "mt5", "xlm_roberta"),
)
#: Not of the model: who wrote the file, its class, the type to compute in, and what its outputs are called.
LEFT = {
    *("transformers_version", "_name_or_path", "model_type", "architectures", "dtype", "torch_dtype"),
    *(
        "return_dict",
        "output_hidden_states",
        "output_attentions",
        "id2label",
        "label2id",
        "is_encoder_decoder",
    ),
    *("_attn_implementation", "chunk_size_feed_forward", "chunk_size_lm_head"),
}
#: How texts are generated and what training is told, which version 4 keeps in the same file.
LEFT |= {
    *("max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "top_k"),
    *("diversity_penalty", "temperature", "top_p", "typical_p", "repetition_penalty", "length_penalty"),
    *("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences"),
    *("output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id"),
    *("remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "prefix"),
    *(
        "begin_suppress_tokens",
        "task_specific_params",
        "finetuning_task",
        "tokenizer_class",
        "tf_legacy_loss",
    ),
}
#: With these all of the rotary parameters are tried, which others read by the same code.
ROTARY = ("llama", "gemma3_text")
#: Fields that transformers reads and does not write, with values.
MORE = {
    "all": {
        "hidden_size": [48, 12],
        "num_hidden_layers": [1, 3],
        "num_attention_heads": [2, 6],
        "max_position_embeddings": [60, 20],
        "n_positions": [60],
        "num_layers": [1],
        "d_model": [12],
        "n_embd": [12],
        "n_ctx": [60],
        "tie_word_embeddings": [True, False],
        "is_decoder": [True],
        "add_cross_attention": [True],
        "pruned_heads": [{"0": [1]}],
        "torchscript": [True],
        "tie_encoder_decoder": [True],
        "position_embedding_type": ["relative_key", "relative_key_query", "absolute"],
        "gradient_checkpointing": [True],
        "use_bfloat16": [True],
        "pad_token_id": [0, 1, 5, None],
        "eos_token_id": [1, [3, 4], None],
        "hidden_act": ["relu", "gelu"],
        "activation_function": ["relu", "gelu"],
        "hidden_activation": ["gelu", "silu", "gelu_new"],
    },
    "rotary": {
        "rope_theta": [100.0, 500],
        "rope_scaling": [
            {"type": "linear", "factor": 2.0},
            {"rope_type": "linear", "factor": 4},
            {"type": "linear"},
            {"type": "dynamic", "factor": 2.0},
            {"rope_type": "default"},
            {"factor": 2.0},
            {"rope_type": "llama3", "factor": 8.0},
        ],
        "partial_rotary_factor": [0.5, 1.0],
        "rotary_pct": [0.5],
        "rotary_emb_base": [100.0],
        "rope_local_base_freq": [50.0],
    },
}
_ACTIVATIONS = (
    *("gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "gelu_accurate"),
    *(
        "relu",
        "relu2",
        "relu6",
        "silu",
        "swish",
        "quick_gelu",
        "tanh",
        "sigmoid",
        "mish",
        "linear",
        "laplace",
    ),
    "leaky_relu",
)
_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
_ROPE = (
    {},
    {"rope_type": "default"},
    {"rope_type": "linear", "factor": 2.0},
    {"rope_type": "linear"},
    {"rope_type": "linear", "factor": 0.5},
    {"type": "linear", "factor": 2.0},
    {"rope_type": "dynamic", "factor": 2.0},
    {"rope_type": "yarn", "factor": 2.0},
    {"rope_type": "longrope", "factor": 2.0, "short_factor": [1.0], "long_factor": [2.0]},
    {"rope_type": "llama3", **_LLAMA3},
    {"rope_type": "llama3", **_LLAMA3, "original_max_position_embeddings": 16},
    {"rope_type": "llama3", **_LLAMA3, "original_max_position_embeddings": 16, "low_freq_factor": 4.0},
    *(
        {"rope_type": "llama3", "original_max_position_embeddings": 16}
        | {k: v for k, v in _LLAMA3.items() if k != left}
        for left in _LLAMA3
    ),
    {"rope_type": "default", "partial_rotary_factor": 0.5},
    {"rope_type": "default", "factor": 2.0},
    {"factor": 2.0},
    {"rope_type": "other"},
)


def values(name: str, value: Any, *, rope: bool = True) -> list[Any]:
    """What is tried in place of a field's value.

    Args:
      rope: whether many rotary parameters are.
    """
    if "drop" in name or name.endswith("pdrop"):
        return [0.0, 0.3]
    if name == "problem_type":
        return ["regression", "single_label_classification"]
    if name == "rope_parameters" and not rope:
        return [None, {}, {"rope_type": "linear", "factor": 2.0, "rope_theta": 100.0}]
    if name == "rope_parameters":
        theta = {"rope_theta": 100.0}
        found = [*_ROPE, *({**theta, **each} for each in _ROPE)]
        if isinstance(value, dict) and "full_attention" in value:
            one = {"rope_type": "default", "rope_theta": 100.0}
            more = [{**value, kind: {**theta, **each}} for kind in value for each in _ROPE]
            found += [*more, {"full_attention": one}, {"sliding_attention": one}]
        return found
    if name == "layer_types":
        kinds = ["full_attention", "sliding_attention", "chunked_attention"]
        return [None, *([kind] * len(value) for kind in kinds), value[1:], value[::-1]]
    if name == "attention_layers":
        return [None, ["local"] * len(value), value[::-1], value[1:], ["other"] * len(value)]
    if name == "attention_types":
        count = len([kind for kinds, times in value for kind in kinds * times])
        return [None, [[["local"], count]], [[["local", "global"], count // 2]], [[["local"], 1]], [], "x"]
    if name == "attn_layers":
        return [None, [], ["local"] * len(value), ["lsh"] * len(value), value[1:], value[::-1], ["x"]]
    if name in ("feed_forward_proj", "dense_act_fn"):
        gated = [f"gated-{name}" for name in ("gelu", "relu", "silu", "gelu_new", "quick_gelu", "tanh")]
        return [None, *_ACTIVATIONS, *gated, "gated-", "x-relu", "relu-gated"]
    if isinstance(value, bool):
        return [None, not value, int(not value)]
    if name.endswith("_token_id"):
        return [None, 0, 5, *[[3, 4]] * (name == "eos_token_id")]
    if isinstance(value, int):
        return [None, *dict.fromkeys([value + 1, 2 * value, value // 2, 0, -1]), str(value), float(value)]
    if isinstance(value, float):
        return [None, *dict.fromkeys([value / 2, value + 1.0, 0.0]), 1, str(value)]
    if name in ("hidden_act", "hidden_activation", "activation_function", "afn", "summary_activation"):
        return [None, *_ACTIVATIONS, "x"]
    if isinstance(value, str):
        return [None, f"{value}x", 1]
    if isinstance(value, list):
        return [None, [], value[1:], value[::-1], [*value[:-1], *value[-1:] * 2], *value[:1]]
    if isinstance(value, dict):
        return [None, {}]
    return [5] if name.endswith("_token_id") else [True, False, 5, 20, 0.5, "x"]  # for null


def changed(config: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The contents of a `config.json` with one field changed."""
    found = {key: copy.deepcopy(v) for key, v in config.items() if key != name}
    return found if value == ABSENT else found | {name: value}


def ours(config: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """The fields of our model, those of its parts by their paths.

    Raises:
      ValueError: if it is refused.
    """
    return flat(config_of(family_of(config, "config.json"), Given(config, "config.json", shapes)))


def flat(config: Any, path: str = "") -> dict[str, Any]:
    """The fields of a dataclass and of those in it, as JSON has them."""
    found = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found[f"{path}{field.name}"] = type(value).__name__
            found |= flat(value, f"{path}{field.name}.")
        else:
            found[f"{path}{field.name}"] = json.loads(json.dumps(value))
    return found


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is another in the second."""
    return {name: after.get(name) for name in before | after if before.get(name) != after.get(name)}


def read() -> dict[str, Any]:
    """The kept outcomes: by version and model, its config and the cases of each field."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def write(kept: dict[str, Any]) -> None:
    """The same as a file, a field a line."""
    lines = []
    for version, models in sorted(kept.items()):
        for model, found in sorted(models.items()):
            head = f'"config": {json.dumps(found["config"], sort_keys=True)}'
            rows = [
                f"{json.dumps(name)}: {json.dumps(cases)}" for name, cases in sorted(found["fields"].items())
            ]
            body = ",\n".join(f"  {row}" for row in rows)
            lines.append((version, f'{json.dumps(model)}: {{{head}, "fields": {{\n{body}\n }}}}'))
    versions = []
    for version in sorted(kept):
        models = ",\n ".join(text for v, text in lines if v == version)
        versions.append(f'"{version}": {{\n {models}\n}}')
    FILE.write_text("{" + ",\n".join(versions) + "}\n")
