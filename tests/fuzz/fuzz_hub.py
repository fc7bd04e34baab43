"""Directories of transformers: the model and the tokenizer beside it."""

import io
import json
import shutil
from pathlib import Path
from random import Random

from fuzz_subjects import Subject

from jaxgpt import tokenizers
from jaxgpt.huggingface import tokenizer_files
from jaxgpt.huggingface.load import load_hf
from jaxgpt.models.config import ModelConfig
from jaxgpt.tokenizers import directory

REFERENCES = Path(__file__).resolve().parents[1] / "huggingface" / "references"
#: Small ones of every kind of stack.
FAMILIES = (
    "gpt2",
    "llama",
    "bert",
    "albert",
    "t5",
    "marian",
    "gpt_neo",
    "transfo_xl",
    "reformer-local",
    "gemma3_text",
)
TEXT = "How should a transformer read numbers? 13 + 829 = 842, and 7 * 6 = 42.\n" * 4


def read(path: Path, rng: Random) -> None:
    load_hf(path)


def subject(folder: Path) -> Subject:
    made = []
    for number, family in enumerate(FAMILIES):
        path = folder / family
        shutil.copytree(REFERENCES / family, path, ignore=shutil.ignore_patterns("*.npz"))
        _tokenizer(path, number)
        load_hf(path)
        made.append(path)
    return Subject(tuple(made), read)


def _tokenizer(path: Path, number: int) -> None:
    """One of the forms that a tokenizer has there."""
    kind = number % 5
    if kind == 0:
        tokenizers.save(tokenizers.build("bpe:270", lambda: [TEXT]), path / directory.EXPORTED)
    elif kind == 1:
        built = tokenizers.build("bpe:270", lambda: [TEXT])
        tokenizer_files.write(built, path, ModelConfig().for_vocabulary(built.vocabulary()))
        (path / directory.EXPORTED).unlink(missing_ok=True)
    elif kind == 2:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "1", "##2"]
        (path / "vocab.txt").write_text("\n".join(words) + "\n")
        (path / "tokenizer_config.json").write_text('{"do_lower_case": true, "model_max_length": 512}')
    elif kind == 3:
        (path / "spiece.model").write_bytes(_pieces())
    else:
        from tokenizers import Tokenizer, models, pre_tokenizers

        found = Tokenizer(
            models.WordLevel({"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3, "1": 4}, unk_token="<unk>")
        )
        found.pre_tokenizer = pre_tokenizers.Whitespace()
        found.add_special_tokens(["<s>", "</s>"])
        (path / "tokenizer.json").write_text(json.dumps(json.loads(found.to_str())))


def _pieces() -> bytes:
    """A SentencePiece model with ALBERT's tokens around a text, too."""
    from sentencepiece import SentencePieceTrainer

    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([TEXT]),
        model_writer=written,
        vocab_size=300,
        byte_fallback=True,
        hard_vocab_limit=False,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        minloglevel=2,
    )
    return written.getvalue()
