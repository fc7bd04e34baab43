"""`jaxgpt verify-hf` and `jaxgpt export-hf`."""

from collections.abc import Callable
from pathlib import Path

from jaxgpt.huggingface import verify
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.options import Given, Option, UsageError
from jaxgpt.run import load

VERIFY = (
    Option("reference", "FILE", "an .npz with tokens, logits and, of an encoder-decoder, source"),
    Option("length", "N", "tokens of a text that transformers, where it is installed, is given", "32"),
)
EXPORT = (
    Option("family", "TYPE", "the model_type, such as gpt2"),
    Option("output", "DIR", "the directory to write"),
    Option("checkpoint", "WHICH", "last, best, selected or a step", "last"),
)
#: A larger difference than this share of the largest logit is no rounding.
TOLERANCE = 1e-3

Say = Callable[[str], None]


def verify_hf(given: Given, say: Say) -> bool:
    """Compare a directory's model with stored logits, or with those of transformers.

    Returns:
      Whether they agree.
    """
    path = Path(given.positional)
    loaded = load_hf(path, dtype="float32")
    for name, reason in loaded.audit.ignored.items():
        say(f"ignored {name}: {reason}")
    say(f"read {len(loaded.audit.used)} tensors, ignored {len(loaded.audit.ignored)}")
    if given.get("reference") is not None:
        inputs, expected = verify.stored(Path(given.get("reference")))
    else:
        both = loaded.model.config.kind == "encoder_decoder"
        length = min(given.whole("length"), loaded.model.config.max_length)
        inputs, expected = verify.live(path, encoder_decoder=both, length=length)
    agreement = verify.compare(verify.logits(loaded, inputs), expected)
    say(str(agreement))
    agree = agreement.largest < TOLERANCE
    say("they agree" if agree else f"they differ by more than {TOLERANCE:g}")
    return agree


def export_hf(given: Given, checkpoint: str | int, say: Say) -> None:
    """Write a run's model, of the first seed, for transformers to read.

    Raises:
      ValueError: as `save_hf`, and without --family or --output.
    """
    for name in ("family", "output"):
        if given.get(name) is None:
            raise UsageError(f"export-hf needs --{name}; see jaxgpt export-hf --help")
    run = load(given.positional, checkpoint=checkpoint)
    save_hf(run.model, given.get("output"), family=given.get("family"), tokenizer=run.tokenizer)
    say(f"written: {given.get('output')}")
