"""Directories whose tokens are declared in several files, for the tests with and without transformers."""

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

TEXT = "<think>the sum</think> of 12 <think>"
#: Ids of the vocabulary proper, before tokens are added.
SIZE = 276


def added(text, special, **more):
    """An added token as a tokenizer_config.json has it."""
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    return {"content": text, "special": special} | flags | more


QWEN = [
    added("<|endoftext|>", True),
    added("<|im_start|>", True),
    added("<|im_end|>", True),
    added("<think>", False),
    added("</think>", False),
]
END, IM_END = SIZE, SIZE + 2
_THINK = {str(SIZE + 3): added("<think>", False)}

#: By name: tokens in tokenizer.json; the other files; bos, eos, pad and all ends; the ids of TEXT, of which
#: "think" and "/think" stand for those of added tokens.
CASES = {
    "in tokenizer.json": (QWEN, {}, (END, END, END), (END,), {"<think>": SIZE + 3, "</think>": SIZE + 4}),
    "with special tokens behind": (
        QWEN[3:] + QWEN[:3],
        {"tokenizer_config": {"eos_token": "<|im_end|>"}},
        (SIZE + 4, SIZE + 4, SIZE + 4),
        (SIZE + 4,),
        {"<think>": SIZE, "</think>": SIZE + 1},
    ),
    "in added_tokens.json": (
        QWEN[:3],
        {"tokenizer_config": {"eos_token": "<|im_end|>"}, "added_tokens": {"<think>": SIZE + 3}},
        (IM_END, IM_END, IM_END),
        (IM_END,),
        {"<think>": SIZE + 3},
    ),
    "in added_tokens_decoder": (
        QWEN[:3],
        {"tokenizer_config": {"added_tokens_decoder": _THINK, "pad_token": "<|im_start|>"}},
        (END, END, END + 1),
        (END,),
        {"<think>": SIZE + 3},
    ),
    "ordinary by added_tokens_decoder": (
        [*QWEN[:3], added("<think>", True)],
        {"tokenizer_config": {"added_tokens_decoder": _THINK}},
        (END, END, END),
        (END,),
        {"<think>": SIZE + 3},
    ),
    "special by special_tokens_map.json": (
        QWEN[:3],
        {
            "tokenizer_config": {"eos_token": "<|im_end|>"},
            "special_tokens_map": {"eos_token": {"content": "<|endoftext|>"}, "pad_token": "<mine>"},
        },
        (END, END, SIZE + 3),
        (END,),
        {},
    ),
    "named and in no vocabulary": (
        QWEN[:3],
        {"tokenizer_config": {"eos_token": "<|new|>", "bos_token": "<|im_start|>"}},
        (END + 1, SIZE + 3, SIZE + 3),
        (SIZE + 3,),
        {},
    ),
    "ends in generation_config.json": (
        QWEN,
        {
            "tokenizer_config": {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
            "config": {"model_type": "qwen3", "eos_token_id": 5},
            "generation_config": {"eos_token_id": [IM_END, END]},
        },
        (IM_END, IM_END, END),
        (IM_END, END),
        {"<think>": SIZE + 3, "</think>": SIZE + 4},
    ),
    "ends in config.json": (
        QWEN,
        {"config": {"model_type": "qwen3", "eos_token_id": IM_END, "pad_token_id": END + 1}},
        (IM_END, IM_END, END + 1),
        (IM_END,),
        {"<think>": SIZE + 3, "</think>": SIZE + 4},
    ),
    "another end than the tokenizer's": (
        QWEN,
        {"tokenizer_config": {"eos_token": "<|endoftext|>"}, "config": {"eos_token_id": [IM_END, 7, 99_999]}},
        (IM_END, IM_END, IM_END),
        (IM_END, 7),
        {"<think>": SIZE + 3, "</think>": SIZE + 4},
    ),
}


def write(path, tokens, files, begin=None):
    """A byte-level `tokenizer.json` with added tokens, and other files beside it; its library's tokenizer."""
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    library.train_from_iterator(["the sum of 12 and 34 is 46 and the other thing"] * 3, trainer)
    assert library.get_vocab_size() == SIZE
    for token in tokens:
        library.add_tokens([AddedToken(**token)])
    if begin is not None:
        template = [(begin, library.token_to_id(begin))]
        library.post_processor = processors.TemplateProcessing(single=f"{begin} $A", special_tokens=template)
    path.mkdir(parents=True, exist_ok=True)
    library.save(str(path / "tokenizer.json"))
    for name, values in ({"tokenizer_config": {}} | files).items():
        if name == "tokenizer_config":
            values = {"tokenizer_class": "PreTrainedTokenizerFast"} | values
        (path / f"{name}.json").write_text(json.dumps(values))
    return library


def expected(library, ids):
    """The ids of TEXT, cut at added tokens."""
    found, rest = [], TEXT
    while rest:
        at, text = min(((rest.find(text), text) for text in ids if text in rest), default=(len(rest), ""))
        plain = library.encode(rest[:at], add_special_tokens=False).ids if at else []
        found += [*plain, *([ids[text]] if text else [])]
        rest = rest[at + len(text) :]
    return found
