"""Small models of transformers, every parameter random: what is stored and what the live tests compare.

Only the script and the tests marked `transformers` import this; the other tests read what it wrote.
"""

import dataclasses
from typing import Any

import numpy as np
import torch
import transformers

# transformers 4.57.6 calls type_as(dtype=...), which torch does not have.
_TYPE_AS = torch.Tensor.type_as
torch.Tensor.type_as = lambda self, other=None, dtype=None: (
    _TYPE_AS(self, other) if dtype is None else self.to(dtype)
)

_BERT = {
    "vocab_size": 41,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 28,
    "max_position_embeddings": 30,
}
_ROBERTA = _BERT | {"max_position_embeddings": 32, "type_vocab_size": 1}
_ALBERT = _BERT | {"embedding_size": 10, "num_hidden_layers": 4}
_DISTILBERT = {
    "vocab_size": 41,
    "dim": 24,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 28,
    "max_position_embeddings": 30,
}
_OPT = _BERT | {"ffn_dim": 28, "word_embed_proj_dim": 24}
_OPT.pop("intermediate_size")
_GPT_NEOX = _BERT | {"hidden_size": 32, "num_attention_heads": 2}
_GPT2 = {"vocab_size": 41, "n_positions": 30, "n_embd": 24, "n_layer": 2, "n_head": 3}
_LLAMA = {
    "vocab_size": 41,
    "hidden_size": 24,
    "intermediate_size": 28,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 30,
}
_GEMMA = _LLAMA | {"head_dim": 10, "num_hidden_layers": 4, "sliding_window": 5, "query_pre_attn_scalar": 7}
_BART = {
    "vocab_size": 41,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 28,
    "decoder_ffn_dim": 28,
    "max_position_embeddings": 30,
}
_T5 = {
    "vocab_size": 41,
    "d_model": 24,
    "d_kv": 6,
    "d_ff": 28,
    "num_layers": 3,
    "num_decoder_layers": 2,  # more of them, and transformers' cache is too short
    "num_heads": 3,
    "decoder_start_token_id": 0,
}
_REFORMER = {
    "vocab_size": 41,
    "max_position_embeddings": 30,
    "hidden_size": 24,
    "num_attention_heads": 3,
    "attention_head_size": 8,
    "feed_forward_size": 28,
    "axial_pos_shape": [6, 5],
    "axial_pos_embds_dim": [8, 16],
    "attn_layers": ["local", "lsh", "lsh"],
    "lsh_attn_chunk_length": 4,
    "local_attn_chunk_length": 5,
    "num_hashes": 2,
    "num_buckets": [2, 4],
    "hash_seed": 3,
    "is_decoder": True,
}
_TRANSFO_XL = {
    "vocab_size": 41,
    "d_model": 24,
    "d_embed": 24,
    "n_head": 3,
    "d_head": 6,
    "d_inner": 28,
    "n_layer": 3,
    "mem_len": 9,
    "clamp_len": 12,
    "div_val": 2,
    "embedding.cutoffs": [10, 25],
    "proj_share_all_but_first": True,
}
_LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
#: As transformers 5 has them, and before.
_LLAMA3 = {"rope_parameters": _LLAMA3_ROPE}
if transformers.__version__.startswith("4."):
    _LLAMA3 = {
        "rope_theta": 500.0,
        "rope_scaling": {k: v for k, v in _LLAMA3_ROPE.items() if k != "rope_theta"},
    }


@dataclasses.dataclass(frozen=True)
class Small:
    """One model: its class, and the fields of its configuration.

    Attributes:
      own_head: whether a `tied` head gets a matrix of its own, which older files may have.
    """

    architecture: str
    fields: dict[str, Any]
    own_head: bool = False


MODELS = {
    "gpt2": Small("GPT2LMHeadModel", _GPT2),
    "gpt2-other": Small(
        "GPT2LMHeadModel",
        _GPT2
        | {
            "n_inner": 20,
            "scale_attn_weights": False,
            "activation_function": "relu",
            "tie_word_embeddings": False,
        },
    ),
    "openai-gpt": Small("OpenAIGPTLMHeadModel", _GPT2),
    "openai-gpt-other": Small("OpenAIGPTLMHeadModel", _GPT2 | {"n_layer": 3, "n_head": 2, "afn": "relu"}),
    "gpt_neo": Small(
        "GPTNeoForCausalLM",
        {
            "vocab_size": 41,
            "max_position_embeddings": 30,
            "hidden_size": 24,
            "num_layers": 4,
            "num_heads": 3,
            "attention_types": [[["global", "local"], 2]],
            "window_size": 5,
        },
    ),
    "gpt_neo-other": Small(
        "GPTNeoForCausalLM",
        {
            "vocab_size": 37,
            "max_position_embeddings": 30,
            "hidden_size": 16,
            "num_layers": 3,
            "num_heads": 2,
            "attention_types": [[["local"], 2], [["global"], 1]],
            "window_size": 3,
            "intermediate_size": 20,
        },
    ),
    "gptj": Small("GPTJForCausalLM", _GPT2 | {"n_embd": 32, "n_head": 4, "rotary_dim": 4}),
    "gptj-other": Small(
        "GPTJForCausalLM", _GPT2 | {"n_embd": 16, "n_head": 2, "rotary_dim": 8, "n_inner": 20}
    ),
    "gpt_neox": Small("GPTNeoXForCausalLM", _GPT_NEOX),
    "gpt_neox-other": Small(
        "GPTNeoXForCausalLM",
        _GPT_NEOX | {"use_parallel_residual": False, "attention.bias": False, "tie_word_embeddings": True},
    ),
    "opt": Small("OPTForCausalLM", _OPT),
    "opt-other": Small(
        "OPTForCausalLM", _OPT | {"do_layer_norm_before": False, "enable_bias": False, "pad_token_id": 4}
    ),
    "llama": Small("LlamaForCausalLM", _LLAMA | _LLAMA3),
    "llama-other": Small(
        "LlamaForCausalLM",
        _LLAMA | {"attention.bias": True, "mlp.bias": True, "head_dim": 8, "tie_word_embeddings": True},
    ),
    "mistral": Small("MistralForCausalLM", _LLAMA | {"sliding_window": 6}),
    "mistral-other": Small("MistralForCausalLM", _LLAMA | {"sliding_window": None, "num_key_value_heads": 4}),
    "qwen3": Small(
        "Qwen3ForCausalLM",
        _LLAMA
        | {
            "head_dim": 10,
            "num_hidden_layers": 3,
            "use_sliding_window": True,
            "sliding_window": 5,
            "max_window_layers": 2,
        },
    ),
    "qwen3-other": Small("Qwen3ForCausalLM", _LLAMA | {"head_dim": 6, "tie_word_embeddings": True}),
    "qwen2": Small(
        "Qwen2ForCausalLM",
        _LLAMA
        | {
            "num_hidden_layers": 3,
            "use_sliding_window": True,
            "sliding_window": 5,
            "max_window_layers": 2,
        },
    ),
    "qwen2-other": Small("Qwen2ForCausalLM", _LLAMA | {"tie_word_embeddings": True}),
    "phi3": Small("Phi3ForCausalLM", _LLAMA | {"pad_token_id": None, "sliding_window": 5}),
    "phi3-other": Small(
        "Phi3ForCausalLM",
        _LLAMA
        | {"hidden_size": 32, "num_key_value_heads": 4, "pad_token_id": None, "tie_word_embeddings": True}
        | {"partial_rotary_factor": 0.75},
    ),
    "olmo2": Small("Olmo2ForCausalLM", _LLAMA | {"pad_token_id": None}),
    "olmo2-other": Small(
        "Olmo2ForCausalLM",
        _LLAMA | {"pad_token_id": None, "attention.bias": True, "head_dim": 8, "tie_word_embeddings": True},
    ),
    "gemma": Small("GemmaForCausalLM", _LLAMA | {"head_dim": 10, "num_key_value_heads": 1}),
    "gemma-other": Small("GemmaForCausalLM", _LLAMA | {"head_dim": 4, "num_key_value_heads": 4}),
    "gemma2": Small("Gemma2ForCausalLM", _GEMMA),
    "gemma2-other": Small(
        "Gemma2ForCausalLM", _GEMMA | {"final_logit_softcapping": None, "sliding_window": 3}
    ),
    "gemma3_text": Small("Gemma3ForCausalLM", _GEMMA | {"num_hidden_layers": 7}),
    "gemma3_text-other": Small("Gemma3ForCausalLM", _GEMMA | {"sliding_window": 3, "num_key_value_heads": 1}),
    "bert": Small("BertForMaskedLM", _BERT),
    "bert-pretraining": Small("BertForPreTraining", _BERT | {"hidden_act": "relu", "num_attention_heads": 2}),
    "bert-base": Small("BertModel", _BERT),
    "bert-text-labels": Small("BertForSequenceClassification", _BERT | {"num_labels": 3}),
    "bert-token-labels": Small("BertForTokenClassification", _BERT | {"num_labels": 5}),
    "bert-spans": Small("BertForQuestionAnswering", _BERT),
    "bert-choices": Small("BertForMultipleChoice", _BERT),
    "roberta": Small("RobertaForMaskedLM", _ROBERTA),
    "roberta-text-labels": Small("RobertaForSequenceClassification", _ROBERTA | {"num_labels": 3}),
    "roberta-choices-other": Small("RobertaForMultipleChoice", _ROBERTA),
    "roberta-token-labels": Small("RobertaForTokenClassification", _ROBERTA | {"num_labels": 5}),
    "xlm_roberta": Small("XLMRobertaForMaskedLM", _ROBERTA),
    "xlm_roberta-text-labels-other": Small(
        "XLMRobertaForSequenceClassification", _ROBERTA | {"num_labels": 3}
    ),
    "distilbert": Small("DistilBertForMaskedLM", _DISTILBERT),
    "distilbert-text-labels": Small("DistilBertForSequenceClassification", _DISTILBERT | {"num_labels": 3}),
    "distilbert-token-labels-other": Small(
        "DistilBertForTokenClassification", _DISTILBERT | {"num_labels": 5}
    ),
    "distilbert-spans-other": Small("DistilBertForQuestionAnswering", _DISTILBERT),
    "distilbert-choices-other": Small("DistilBertForMultipleChoice", _DISTILBERT),
    "distilbert-base-other": Small("DistilBertModel", _DISTILBERT),
    "albert": Small("AlbertForMaskedLM", _ALBERT | {"num_hidden_groups": 2, "inner_group_num": 2}),
    "albert-pretraining": Small("AlbertForPreTraining", _ALBERT),
    "bart": Small("BartForConditionalGeneration", _BART | {"scale_embedding": True}),
    "bart-text-labels": Small("BartForSequenceClassification", _BART | {"num_labels": 3}),
    "bart-two-widths": Small(
        "BartForConditionalGeneration", _BART | {"encoder_attention_heads": 4, "encoder_ffn_dim": 20}
    ),
    "longformer": Small("LongformerForMaskedLM", _ROBERTA | {"attention_window": [4, 8]}),
    "longformer-text-labels": Small(
        "LongformerForSequenceClassification", _ROBERTA | {"attention_window": 4, "num_labels": 3}
    ),
    "reformer": Small("ReformerModelWithLMHead", _REFORMER),
    "reformer-other": Small(
        "ReformerModelWithLMHead",
        _REFORMER | {"attn_layers": ["lsh", "local"], "num_buckets": None, "num_hashes": 1},
    ),
    # Without hashes, whose chunks depend on tokens to come, so that it writes what it reads at once.
    "reformer-local": Small(
        "ReformerModelWithLMHead",
        _REFORMER | {"attn_layers": ["local", "local"], "local_attn_chunk_length": 6},
    ),
    # These are in transformers up to version 4 alone.
    "transfo_xl": Small("TransfoXLLMHeadModel", _TRANSFO_XL),
    "transfo_xl-plain": Small(
        "TransfoXLLMHeadModel", _TRANSFO_XL | {"div_val": 1, "same_length": False, "clamp_len": -1}
    ),
    "marian": Small(
        "MarianMTModel",
        _BART
        | {
            "scale_embedding": True,
            "pad_token_id": 40,
            "decoder_start_token_id": 40,
            "activation_function": "swish",
        },
    ),
    "marian-other": Small(
        "MarianMTModel",
        _BART | {"d_model": 12, "pad_token_id": 40, "decoder_start_token_id": 40, "decoder_layers": 1},
    ),
    "t5": Small("T5ForConditionalGeneration", _T5),
    "t5-v1_1": Small(
        "T5ForConditionalGeneration",
        _T5
        | {
            "feed_forward_proj": "gated-gelu",
            "relative_attention_num_buckets": 8,
            "relative_attention_max_distance": 12,
            "tie_word_embeddings": False,
        },
        own_head=True,
    ),
    "mt5": Small("MT5ForConditionalGeneration", _T5 | {"tie_word_embeddings": False}, own_head=True),
    "mt5-other": Small(
        "MT5ForConditionalGeneration",
        _T5 | {"feed_forward_proj": "gated-silu", "relative_attention_num_buckets": 8, "num_heads": 2},
        own_head=True,
    ),
}


def _older(small: Small) -> Small:
    """The same for transformers 4, which has two fields for `rope_parameters`."""
    rope = dict(small.fields.get("rope_parameters", {}))
    if not rope:
        return small
    theta = rope.pop("rope_theta")
    fields = {name: value for name, value in small.fields.items() if name != "rope_parameters"}
    return dataclasses.replace(small, fields=fields | {"rope_theta": theta, "rope_scaling": rope})


if transformers.__version__.startswith("4."):
    MODELS = {name: _older(small) for name, small in MODELS.items()}

#: Those that the installed version of transformers has.
AVAILABLE = [name for name, small in MODELS.items() if hasattr(transformers, small.architecture)]


def build(name: str, seed: int = 0, std: float = 0.3):
    """The model with every parameter drawn anew: zero biases and unit scales hide mistakes."""
    small = MODELS[name]
    model_class = getattr(transformers, small.architecture)
    config = model_class.config_class(**small.fields, attn_implementation="eager")
    model = drawn(model_class(config).eval(), seed, std)
    if small.own_head:
        generator = torch.Generator().manual_seed(seed + 1)
        model.lm_head.weight = torch.nn.Parameter(
            torch.randn(model.lm_head.weight.shape, generator=generator)
        )
    return model


def drawn(model, seed: int = 0, std: float = 0.3):
    """The same model with other parameters."""
    generator = torch.Generator().manual_seed(seed)
    kind = model.config.model_type
    with torch.no_grad():
        for key, value in [*model.named_parameters(), *model.named_buffers()]:
            computed = kind == "marian" and "embed_positions" in key  # sinusoids
            if (isinstance(value, torch.nn.Parameter) and not computed) or key == "final_logits_bias":
                value.copy_(torch.randn(value.shape, generator=generator) * std)
        if kind == "reformer":
            model.lm_head.bias.zero_()  # version 5 writes it and does not add it
    return model


def inputs(model, seed: int = 0) -> dict[str, np.ndarray]:
    """Tokens for the model: `tokens`, and for an encoder-decoder `source` as well."""
    rng = np.random.default_rng(seed)
    vocab = model.config.vocab_size
    if model.config.model_type == "longformer":
        first = 0 if "Classification" in type(model).__name__ else 3  # there the first is always global
        return {
            "tokens": rng.integers(3, vocab - 1, (2, 13)),
            "global_tokens": np.array([[0, 7], [first, -1]]),
        }
    if model.config.model_type == "reformer" and "lsh" in model.config.attn_layers:
        config = model.config
        torch.manual_seed(config.hash_seed or 0)
        buckets = config.num_buckets or 8  # of 20 tokens, which 13 are padded to, in chunks of 4
        count = (sum(buckets) if isinstance(buckets, list | tuple) else buckets) // 2
        shape = (config.num_attention_heads, config.attention_head_size, config.num_hashes, count)
        rotations = torch.randn(shape, dtype=torch.float64).numpy()
        return {"tokens": rng.integers(3, vocab - 1, (2, 13)), "rotations": rotations}
    if not model.config.is_encoder_decoder:
        return {"tokens": rng.integers(3, vocab - 1, (2, 13))}
    source = rng.integers(3, vocab - 1, (2, 11))
    if "Classification" not in type(model).__name__:
        return {"tokens": rng.integers(3, vocab - 1, (2, 7)), "source": source}
    end = model.config.eos_token_id
    source[source == end] = 4
    source[:, -1] = end  # BART's classifier looks for it, and reads the text twice
    start = model.config.decoder_start_token_id
    start = np.full((2, 1), 2 if start is None else start)
    return {"tokens": np.concatenate([start, source[:, :-1]], 1), "source": source}


def outputs(model, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the model makes of them, by our names: logits, hidden, pooled, labels."""
    tokens = torch.tensor(given["tokens"])
    if "rotations" in given:
        model = model.double()  # its masks of -1e5 leave float32 two digits
    source = {"decoder_input_ids": tokens} if "source" in given else {}
    ids = torch.tensor(given["source"]) if source else tokens
    if "global_tokens" in given:
        flags = torch.zeros_like(ids)
        for row, places in enumerate(given["global_tokens"]):
            flags[row, places[places >= 0]] = 1
        source = {"global_attention_mask": flags}
    choices = "MultipleChoice" in type(model).__name__
    with torch.no_grad():
        out = model(input_ids=ids[None] if choices else ids, **source)
    if choices:  # of one question; ours is a score for each
        return {"labels": _array(out.logits).T}
    found = {}
    labelled = any(word in type(model).__name__ for word in ("Classification", "QuestionAnswering"))
    names = {
        "logits": "labels" if labelled else "logits",
        "prediction_scores": "logits",
        "prediction_logits": "logits",
        "seq_relationship_logits": "labels",
        "sop_logits": "labels",
        "pooler_output": "pooled",
    }
    for theirs, ours in names.items():
        if getattr(out, theirs, None) is not None:
            found[ours] = _array(getattr(out, theirs))
    if hasattr(out, "start_logits"):
        found["labels"] = _array(torch.stack([out.start_logits, out.end_logits], -1))
    if hasattr(out, "last_hidden_state"):
        found["hidden"] = _array(out.last_hidden_state)
    return found


def _array(tensor) -> np.ndarray:
    """numpy has no bfloat16."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def continuations(model, given: dict[str, np.ndarray], count: int = 8) -> dict[str, np.ndarray]:
    """New tokens by `generate`: `greedy`, and the best of three `beams`; nothing for other models.

    Of models that cannot, `greedy`, and `steps`, the logits before each of `any_tokens` that follow.
    """
    if model.config.model_type in ("transfo-xl", "reformer") and "rotations" not in given:
        return _one_by_one(model, torch.tensor(given["tokens"]), count)
    if "rotations" in given or not type(model).__name__.endswith(
        ("LMHeadModel", "ForCausalLM", "ForConditionalGeneration", "MTModel")
    ):
        return {}
    ids = torch.tensor(given.get("source", given["tokens"]))
    found = {}
    for name, beams in (("greedy", 1), ("beams", 3)):
        settings = transformers.GenerationConfig(
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            num_beams=beams,
            decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
            pad_token_id=0,
            eos_token_id=None,
        )
        model.generation_config = settings  # as an argument, the model's own end tokens would be merged in
        new = model.generate(ids, attention_mask=torch.ones_like(ids))
        found[name] = new[:, -count:].numpy()
    return found


def _one_by_one(model, tokens, count: int) -> dict[str, np.ndarray]:
    """What these models' `generate` does not do: the likeliest tokens; and logits behind any tokens."""
    if model.config.model_type == "reformer":
        model = model.double()  # its masks of -1e5 leave float32 two digits
    any_tokens = torch.tensor(np.random.default_rng(2).integers(3, 40, (len(tokens), count)))
    found = {}
    for name in ("greedy", "steps"):
        given, memory, kept = tokens, {}, []
        for step in range(count):
            with torch.no_grad():
                out = model(given, **memory)
            likeliest = out.logits[:, -1].argmax(-1, keepdim=True)
            kept.append(likeliest if name == "greedy" else out.logits[:, -1:])
            new = likeliest if name == "greedy" else any_tokens[:, step : step + 1]
            if hasattr(out, "mems"):
                given, memory = new, {"mems": out.mems}
            else:
                given = torch.cat([given, new], 1)
        found[name] = torch.cat(kept, 1).numpy()
    model.float()
    return found | {"any_tokens": any_tokens.numpy()}
