"""Special tokens by their usual names, in vocabularies that do not say what they are for."""

#: The usual names of special tokens, the likeliest first.
USUAL_NAMES = {
    "bos_id": ("<|bos|>", "<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]", "[CLS]"),
    "eos_id": ("<|eos|>", "</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]", "[SEP]"),
    "pad_id": ("<|pad|>", "<pad>", "[PAD]", "<|padding|>", "<|finetune_right_pad_id|>"),
}


def special_ids(named: dict[str, int], spare: int, told: dict[str, int] | None = None) -> dict[str, int]:
    """pad_id, bos_id and eos_id among tokens by their usual names, but for those that a file has told.

    Where one is missing, bos and eos stand in for each other and eos for pad; without either, `spare`, an
    id behind the vocabulary, is all three. So GPT-2's `<|endoftext|>` is bos, eos and pad.
    """
    told = told or {}
    found = {
        key: told.get(key, next((named[name] for name in names if name in named), None))
        for key, names in USUAL_NAMES.items()
    }
    either = next((i for i in (found["eos_id"], found["bos_id"]) if i is not None), spare)
    found = {key: either if i is None and key != "pad_id" else i for key, i in found.items()}
    found |= {"pad_id": found["eos_id"]} if found["pad_id"] is None else {}
    return found | told


def mask_id(named: dict[str, int]) -> int | None:
    """The id that hides a token, among tokens by their usual names; None without one."""
    return next((named[name] for name in ("[MASK]", "<mask>") if name in named), None)
