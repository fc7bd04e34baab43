"""Whether a model computes here what it computes in transformers."""

import dataclasses
from pathlib import Path
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax

from jaxgpt.core.wording import one_line
from jaxgpt.huggingface.load import Pretrained
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import Features, global_tokens_of

#: Inputs that some models take beside their tokens.
_MORE = ("source", "global_tokens")


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far two sets of logits agree.

    Attributes:
      largest: the largest difference, as a share of the largest logit.
      kl: of our distribution from theirs, the mean over tokens, in nats.
      top1: share of the tokens with the same likeliest id.
      top5: share of their five likeliest ids that are among our five.
      tokens: compared.
    """

    largest: float
    kl: float
    top1: float
    top5: float
    tokens: int

    def __str__(self) -> str:
        return (
            f"largest difference {self.largest:.1e} of the largest logit, KL {self.kl:.1e} nats, "
            f"top 1 {100 * self.top1:.2f} %, top 5 {100 * self.top5:.2f} % over {self.tokens} tokens"
        )


def compare(ours: Float[np.ndarray, "B T V"], theirs: Float[np.ndarray, "B T V"]) -> Agreement:
    """The agreement of logits of the same tokens.

    Raises:
      ValueError: if their shapes differ.
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"logits of shape {list(ours.shape)} here and {list(theirs.shape)} in the reference")
    ours, theirs = (np.asarray(x, np.float64) for x in (ours, theirs))
    p, q = (log_softmax(x, axis=-1) for x in (theirs, ours))
    kl = (np.exp(p) * (p - q)).sum(-1).mean()
    first = [np.argsort(-x, axis=-1, kind="stable")[..., :5] for x in (ours, theirs)]
    both = (first[1][..., :, None] == first[0][..., None, :]).any(-1)
    return Agreement(
        largest=float(np.abs(ours - theirs).max() / np.abs(theirs).max()),
        kl=float(max(kl, 0.0)),
        top1=float((first[0][..., 0] == first[1][..., 0]).mean()),
        top5=float(both.mean()),
        tokens=int(np.prod(ours.shape[:2])),
    )


def logits(loaded: Pretrained, inputs: dict[str, Int[np.ndarray, "B T"]]) -> Float[np.ndarray, "B T V"]:
    """Ours, in full precision on every device; of a model without, what `output_of` says.

    Args:
      inputs: `tokens`, for an encoder-decoder `source`, and for a Longformer `global_tokens`.

    Raises:
      ValueError: if the inputs are not of the model's kind.
    """
    if "tokens" not in inputs:
        raise ValueError(f"the reference has no tokens; it has {', '.join(sorted(inputs))}")
    with jax.default_matmul_precision("highest"):
        places = inputs.get("global_tokens")
        if places is None:  # as transformers has them then
            places = global_tokens_of(loaded.model.config, len(inputs["tokens"]))
        features = Features(global_tokens=places)
        output = loaded.model(inputs["tokens"], source=inputs.get("source"), features=features)
        return np.asarray(getattr(output, output_of(loaded.model.config)))


def output_of(config: ModelConfig) -> Literal["logits", "labels", "hidden"]:
    """What is compared of a model: logits, without them those of its labels, or else hidden states."""
    return "logits" if config.head.weights != "none" else "labels" if config.num_labels else "hidden"


def stored(path: Path) -> tuple[dict[str, np.ndarray], Float[np.ndarray, "B T V"]]:
    """Inputs and logits of a file that `write` made.

    Raises:
      ValueError: if it is no such file; a pickle in it is not opened.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = dict(file)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is no .npz file of tokens and logits: {error}") from error
    if "logits" not in found:
        raise ValueError(f"{path} has no logits; it has {', '.join(sorted(found)) or 'nothing'}")
    return {name: found[name] for name in ("tokens", *_MORE) if name in found}, found["logits"]


def _class_of(loaded: Pretrained, kind: str) -> str:
    """The class of transformers that computes what is compared."""
    if kind == "hidden":
        return "AutoModel"
    if any(name.endswith("qa_outputs.weight") for name in loaded.audit.used):
        return loaded.family.architecture.removesuffix("ForMaskedLM") + "ForQuestionAnswering"
    return loaded.family.architecture_of(loaded.model.config)


def live(path: Path, loaded: Pretrained, *, length: int, seed: int = 0):
    """Random inputs, and what transformers computes of them: logits, or as `output_of` says.

    Its class is the one for our model, whatever `architectures` says or does not say. Of a model whose tokens
    may see all others, the first and another one do.

    Raises:
      ValueError: if transformers and torch are not installed, or transformers does not read the directory.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ValueError(
            f"{error.name} is not installed; give --reference FILE, or pip install 'jaxgpt[transformers]'"
        ) from error
    config, kind = loaded.model.config, output_of(loaded.model.config)
    name = _class_of(loaded, kind)
    try:
        model, info = getattr(transformers, name).from_pretrained(
            path,
            dtype=torch.float32,
            attn_implementation="eager",  # others leave out soft caps and scales in version 4
            output_loading_info=True,
        )
    except (AttributeError, KeyError, OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            one_line(f"{path}: transformers {transformers.__version__} does not read it: {error}")
        ) from error
    if missing := sorted(key for key in info["missing_keys"] if "pooler." not in key):
        raise ValueError(f"{path}: {name} of transformers misses {', '.join(missing[:4])}")
    model = model.eval()
    rng = np.random.default_rng(seed)
    first = min(3, config.vocab_size - 1)  # behind padding, which RoBERTa does not count
    inputs = {"tokens": rng.integers(first, config.vocab_size, (2, length))}
    given = {"input_ids": torch.tensor(inputs["tokens"])}
    if config.kind == "encoder_decoder":
        inputs["source"] = rng.integers(first, config.vocab_size, (2, length))
        if config.num_labels:  # BART reads its labels where the text, which it reads twice, ends
            inputs["source"][:, -1] = model.config.eos_token_id
            inputs["tokens"] = np.roll(inputs["source"], 1, axis=1)
            given["input_ids"] = torch.tensor(inputs["tokens"])
        given = {"input_ids": torch.tensor(inputs["source"]), "decoder_input_ids": given["input_ids"]}
    if config.sparse is not None and config.sparse.sees_all:
        inputs["global_tokens"] = np.array([[0, length // 2]] * 2)
        given["global_attention_mask"] = torch.zeros((2, length), dtype=torch.long)
        given["global_attention_mask"][:, [0, length // 2]] = 1
    with torch.no_grad():
        output = model(**given)
    names = ("last_hidden_state",) if kind == "hidden" else ("prediction_logits", "logits", "start_logits")
    found = next(getattr(output, name) for name in names if hasattr(output, name))
    if hasattr(output, "start_logits"):
        found = torch.stack([output.start_logits, output.end_logits], -1)
    return inputs, found.numpy()
