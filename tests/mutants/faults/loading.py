"""Faults in reading and writing directories of transformers."""

from ..fault import Fault

FAULTS = [
    Fault(
        "linear-not-transposed",
        "jaxgpt/huggingface/tensors.py",
        'matrix = tensor.T if self.form == "linear" else tensor',
        'matrix = tensor.reshape(tensor.shape[::-1]) if self.form == "linear" else tensor',
        "a map is read without being turned",
        ("tests/huggingface/test_huggingface_parity.py::test_outputs_are_those_of_transformers[llama]",),
    ),
    Fault(
        "heads-interleaved",
        "jaxgpt/huggingface/tensors.py",
        "heads = tensor.T.reshape(*before, shape[-2], len(self.paths), shape[-1])\n            return [heads[..., index, :]",
        "heads = tensor.T.reshape(*before, len(self.paths), shape[-2], shape[-1])\n            return [heads[..., index, :, :]",
        "GPT-NeoX's queries, keys and values are cut at the wrong places",
        ("tests/huggingface/test_huggingface_parity.py::test_outputs_are_those_of_transformers[gpt_neox]",),
    ),
    Fault(
        "bias-dropped",
        "jaxgpt/huggingface/tensors.py",
        '    if bias:\n        yield Entry(f"{key}.bias", tuple(f"{path}.bias" for path in paths), "vector")',
        '    if bias and len(paths) == 1:\n        yield Entry(f"{key}.bias", tuple(f"{path}.bias" for path in paths), "vector")',
        "the biases of queries, keys and values side by side are not read",
        ("tests/huggingface/test_huggingface_parity.py::test_outputs_are_those_of_transformers[gpt2]",),
    ),
    Fault(
        "norms-swapped",
        "jaxgpt/huggingface/families/llama.py",
        'norms = ("input_layernorm", "post_attention_layernorm")',
        'norms = ("post_attention_layernorm", "input_layernorm")',
        "Llama's two norms of a block are swapped",
        ("tests/huggingface/test_huggingface_parity.py::test_outputs_are_those_of_transformers[llama]",),
    ),
    Fault(
        "gpt2-query-key-swapped",
        "jaxgpt/huggingface/families/gpt2.py",
        'for name in ("query", "key", "value")]',
        'for name in ("key", "query", "value")]',
        "GPT-2's queries and keys are swapped",
        ("tests/huggingface/test_huggingface_parity.py::test_outputs_are_those_of_transformers[gpt2]",),
    ),
    Fault(
        "neox-rotary-part",
        "jaxgpt/huggingface/families/gpt_neox.py",
        'name="rotary_pct", part=0.25\n        )\n        return made',
        'name="rotary_pct", part=1.0\n        )\n        return made',
        "without a field GPT-NeoX rotates whole heads",
        ("tests/huggingface/test_huggingface_fields.py",),
    ),
    Fault(
        "bert-norm-epsilon",
        "jaxgpt/huggingface/families/bert.py",
        'Field("layer_norm_eps", "norm_epsilon", 1e-12)',
        'Field("layer_norm_eps", "norm_epsilon", 1e-5)',
        "without a field BERT's norms have another epsilon",
        ("tests/huggingface/test_huggingface_fields.py",),
    ),
    Fault(
        "export-table-rows",
        "jaxgpt/huggingface/tensors.py",
        "return np.concatenate([blank, parts[0]])",
        "return np.concatenate([parts[0], blank])",
        "a table is written with its unused rows at the end",
        ("tests/huggingface/test_huggingface_tensors.py::test_unused_rows_stand_before_a_table",),
    ),
]
