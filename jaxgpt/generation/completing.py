"""Generation from text to text: all completions of many prompts, or one as it comes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flax import nnx

from jaxgpt.generation import stopping
from jaxgpt.generation.decode import GREEDY, Decoding
from jaxgpt.generation.prompts import (
    Overflow,
    bucket,
    check_batch_size,
    check_request,
    checked_row_ids,
)
from jaxgpt.generation.sampling import Sampling
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Scores of attention that may be held while prompts are read: one gigabyte in float32.
_SCORES = 2**28


def encode_prompts(
    model: nnx.Module, tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[list[list[int]], list[list[int]] | None]:
    """`prompt_ids` and `source` as `generate` takes them, laid out as the rows of training are.

    A decoder reads bos and the text, or the text alone where the tokenizer's directory puts nothing before
    it; an encoder the text and eos, and then the decoder begins with bos, or what the directory says.
    """
    rows = tokenizer.encode_batch(texts)
    if model.config.kind == "encoder_decoder":
        return [tokenizer.begun([]) for _ in rows], [[*row, tokenizer.eos_id] for row in rows]
    return [tokenizer.begun(row) for row in rows], None


def complete(
    model: nnx.Module,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    stop: Sequence[str] = (),
    batch_size: int = 64,
    overflow: Overflow = "stop",
    row_ids: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[str]]:
    """The completions of each prompt, `sampling.num_samples` of them, without prompt, eos and stop string.

    Prompts of like length run together; the results come in the order of `prompts` and depend neither
    on the batch size nor, at temperature 0, on the other prompts. When sampling, a completion depends on
    its prompt's index, or its row id. What reaches the end of the context without an eos is given as far as
    it came.

    Args:
      row_ids: for the randomness of each prompt, below 2**32; its index in the call if left out.
      batch_size: prompts that run together, at most; fewer where they are long, to save memory.
      progress: called with the number of prompts done and of all after each batch.

    Raises:
      ValueError: as `generate`, and for a batch size below 1.
    """
    row_ids = checked_row_ids(row_ids, len(prompts))
    check_batch_size(batch_size)
    stopping.Watch(stop, tokenizer.settled)  # says at once what is wrong with `stop`, even without prompts
    prompt_ids, source = encode_prompts(model, tokenizer, prompts)
    check_request(model.config, source, max_new_tokens)
    if overflow == "stop":  # no row gets more than its context holds, whatever is asked for
        max_new_tokens = min(max_new_tokens, model.config.max_length)
    by_length = sorted(range(len(prompts)), key=lambda i: len((source or prompt_ids)[i]))
    size = min(batch_size, bucket(len(prompts), least=1), _room(model, prompt_ids, source))
    completions: list[list[str]] = [[] for _ in prompts]
    for start in range(0, len(prompts), size):
        chosen = by_length[start : start + size]
        # The last batch is filled up with copies of its last prompt, so that its program exists already.
        rows = chosen + chosen[-1:] * (size - len(chosen))
        run = Decoding(
            model,
            [prompt_ids[i] for i in rows],
            source=None if source is None else [source[i] for i in rows],
            row_ids=[row_ids[i] for i in rows],
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            overflow=overflow,
            **_ids_of(model, tokenizer),
        )
        run.finish(stop, tokenizer.settled)
        for index, prompt in enumerate(chosen):
            for row in range(index * sampling.num_samples, (index + 1) * sampling.num_samples):
                completions[prompt].append(_text(tokenizer.decode, run, row, stop))
        if progress is not None:
            progress(start + len(chosen), len(prompts))
    return completions


def _room(model: nnx.Module, prompt_ids: list[list[int]], source: list[list[int]] | None) -> int:
    """How many of the longest prompts may run together: of each, all pairs of tokens have a score."""
    longest = max(map(len, [*prompt_ids, *(source or [])]), default=1)
    return max(1, _SCORES // (model.config.num_heads * longest**2))


def stream(
    model: nnx.Module,
    tokenizer: Tokenizer,
    prompt_ids: Sequence[int],
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    stop: Sequence[str] = (),
    source: Sequence[int] | None = None,
    overflow: Overflow = "error",
    every: int = 8,
) -> Iterator[str]:
    """Pieces of one completion as they come; together they are what `complete` gives for the prompt.

    A piece holds whole characters and never a part of a stop string. `encode_prompts` makes the ids.

    Args:
      every: tokens between two looks; it does not change the text.

    Raises:
      ValueError: as `generate`, and for more than one sample or `every` below 1.
    """
    if sampling.num_samples != 1:
        raise ValueError(f"num_samples={sampling.num_samples}: a stream has one; use complete for several")
    if every < 1:
        raise ValueError(f"every={every} must be at least 1")
    watch = stopping.Watch(stop, tokenizer.settled)
    run = Decoding(
        model,
        [prompt_ids],
        source=None if source is None else [source],
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        overflow=overflow,
        **_ids_of(model, tokenizer),
    )
    return _pieces(run, tokenizer, watch, every)


def _pieces(run: Decoding, tokenizer: Tokenizer, watch: stopping.Watch, every: int) -> Iterator[str]:
    given = 0
    while not run.finished:
        run.advance(every)
        watch.end_rows(run)
        decode = tokenizer.decode if run.finished else tokenizer.settled
        text = _text(decode, run, 0, watch.stop_strings)
        if not run.finished:
            text = text[: len(text) - stopping.held_back(text, watch.stop_strings)]
        if len(text) > given:
            yield text[given:]
            given = len(text)
        run.check_positions()


def _text(decode: Callable[[list[int]], str], run: Decoding, row: int, stop: Sequence[str]) -> str:
    """The text of a row up to its stop string; eos and the like have none."""
    text = decode(run.ids(row))
    return text[: stopping.first(text, stop)]


def _ids_of(model: nnx.Module, tokenizer: Tokenizer) -> dict[str, Any]:
    """A tokenizer's ids; a model may have more, which stand for no text and are never chosen."""
    fewer = tokenizer.vocab_size < model.config.vocab_size
    return {
        "eos_id": tokenizer.end_ids,
        "pad_id": tokenizer.pad_id,
        "num_ids": tokenizer.vocab_size if fewer else None,
    }
