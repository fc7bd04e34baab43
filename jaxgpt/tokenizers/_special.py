"""Special tokens by their usual names, in vocabularies that do not say what they are for."""

from jaxgpt.core.wording import quoted, shown

#: The usual names of special tokens, the likeliest first.
USUAL_NAMES = {
    "bos_id": ("<|bos|>", "<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]", "[CLS]"),
    "eos_id": ("<|eos|>", "</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]", "[SEP]"),
    "pad_id": ("<|pad|>", "<pad>", "[PAD]", "<|padding|>", "<|finetune_right_pad_id|>"),
}

#: Ids of a vocabulary that no token of its file has, at most.
MOST_BEYOND = 2**16


def check_told(special: dict[str, int], size: int) -> None:
    """Raises ValueError if what a file gives are no special ids, or none below `size`."""
    names = (*USUAL_NAMES, "mask_id")
    for name, index in special.items():
        if name not in names or type(index) is not int or not 0 <= index < size:
            raise ValueError(
                f"{quoted(name)}: {shown(index)} is no special id; those are {', '.join(names)}, below {size}"
            )


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
