"""Decoding a batch of prompts, chunk by chunk; and `generate`, which returns all new tokens at once."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Shaped

from jaxgpt.core.wording import shown
from jaxgpt.data.numbers import with_features
from jaxgpt.generation import decode_loop as loop
from jaxgpt.generation import parts, prompts, stopping
from jaxgpt.generation.prompts import Ids, Overflow
from jaxgpt.generation.sampling import Ends, Rules, Sampling, row_keys
from jaxgpt.models.structure import split

GREEDY = Sampling()


def generate(
    model: nnx.Module,
    prompt_ids: Ids,
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    eos_id: Ends = None,
    pad_id: int = 0,
    source: Ids | None = None,
    row_ids: Sequence[int] | None = None,
    overflow: Overflow = "error",
    stop: stopping.StopTexts | None = None,
) -> Shaped[np.ndarray, "R N"]:
    """New tokens for each prompt: [prompts * num_samples, max_new_tokens], a prompt's samples side by side.

    They are int32. From a model whose numbers are one token they are objects, with a `NumberToken` where a
    number stands; so are the numbers of its prompts.

    A row's tokens do not depend on the other rows. A row ends with `eos_id`, an id or any of several, which
    is part of it, or with the token that completes a stop string; `pad_id` follows. The program is compiled
    for a few sizes of prompt and cache and runs 64 steps in one dispatch.

    Args:
      model: a decoder or an encoder-decoder.
      prompt_ids: rows of ids of any length, or an array [B, T]; for an encoder-decoder what its decoder
        begins with, [bos_id] as a rule. None may be empty: without a text begin with [bos_id].
      source: an encoder-decoder's source tokens, one row a prompt.
      row_ids: for the randomness of each prompt, below 2**32; its index in the call if left out.
      overflow: where prompt and new tokens exceed `max_length`: `error`; `stop` ends the row when the
        context is full; `slide` goes on with the last half of the window as a new prompt (of a prompt
        longer than `max_length` the end is kept). A number too long for a position scheme with a
        `max_position` ends the row under `stop` and is an error otherwise.
      stop: texts that end a row.

    Raises:
      ValueError: for empty prompts, ids outside the vocabulary, row ids out of range, what exceeds the
        context or the position scheme, and arguments that do not fit the kind of model.
    """
    if stop is not None and not isinstance(stop, stopping.StopTexts):
        raise ValueError(f"stop={shown(stop)}: give jaxgpt.StopTexts(texts, tokenizer.decode)")
    if len(prompt_ids) == 0:
        return np.zeros((0, max_new_tokens), np.int32)
    run = Decoding(
        model,
        prompt_ids,
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        eos_id=eos_id,
        pad_id=pad_id,
        source=source,
        row_ids=row_ids,
        overflow=overflow,
    )
    run.finish(*(() if stop is None else (stop.texts, stop.decode)))
    if run.numbers is None:
        return run.tokens
    tokens = run.tokens.astype(object)
    for row in range(len(tokens)):
        tokens[row, : run.length[row]] = run.ids(row)
    return tokens


class Decoding:
    """A batch under way. Arguments and errors are those of `generate`.

    Attributes:
      tokens: generated so far, `pad_id` elsewhere. [R, max_new_tokens]
      length: tokens that each row has. [R]
      done: whether it has ended. [R]
      numbers: features of the number tokens among `tokens`, for a model that writes such.
        [R, max_new_tokens, F]
    """

    def __init__(
        self,
        model: nnx.Module,
        prompt_ids: Ids,
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        eos_id: Ends = None,
        pad_id: int = 0,
        source: Ids | None = None,
        row_ids: Sequence[int] | None = None,
        overflow: Overflow = "error",
        num_ids: int | None = None,
    ):
        self.config = config = model.config
        prompts.check_request(config, source, max_new_tokens)
        if overflow not in get_args(Overflow):
            raise ValueError(f"overflow={overflow!r} must be one of {', '.join(get_args(Overflow))}")
        rows = prompts.checked(prompt_ids, config, "prompts")
        limit = [
            prompts.room(index, len(row), max_new_tokens, config.max_length, overflow)
            for index, row in enumerate(rows)
        ]
        self._source = None if source is None else prompts.checked_source(source, len(rows), config)
        row_ids = prompts.checked_row_ids(row_ids, len(rows))

        self.overflow = overflow
        self._structure, self._weights = split(model)
        self._rules = Rules.of(sampling, eos_id=eos_id, pad_id=pad_id, num_ids=num_ids)
        self._pad_id = pad_id
        samples = sampling.num_samples
        self._prompts = rows
        self._prompt_of = np.repeat(np.arange(len(rows)), samples)
        count = len(self._prompt_of)
        self._parts = parts.count(len(rows), self._weights)
        self._samples = samples
        self._filled = -len(rows) % self._parts  # prompts that make the parts equal
        self._beside = parts.spare_rows(count)
        self._spare = self._filled * samples + self._beside
        self._keys = row_keys(
            jnp.uint32(sampling.seed),
            self._with_spare(np.repeat(row_ids, samples)),
            self._with_spare(np.tile(np.arange(samples, dtype=np.uint32), len(rows))),
        )
        self._limits = np.repeat(np.asarray(limit, np.int32), samples)
        self.tokens = np.full((count, max_new_tokens), pad_id, np.int32)
        number = config.number
        shape = () if number is None else (count, max_new_tokens, number.size)
        self.numbers = None if number is None else np.zeros(shape, number.dtype)
        self.length = np.zeros(count, np.int32)
        self.done = np.zeros(count, bool)
        self._beyond = np.zeros(count, bool)
        self._changed = False  # whether rows were ended here that the device knows nothing of
        self._step = 0
        self._caches = self._rows = None  # of each part
        self._seen = np.zeros(count, np.int32)  # tokens that the model has read, by row
        self._used = self._most = 0

    @property
    def finished(self) -> bool:
        """Whether every row has ended."""
        return bool(self.done.all())

    def ids(self, row: int) -> list[int]:
        """The tokens that a row has, its numbers with their features."""
        end = self.length[row]
        if self.numbers is None:
            return self.tokens[row, :end].tolist()
        return with_features(self.tokens[row, :end], self.numbers[row, :end], self.config.number.token_id)

    def finish(self, stop: Sequence[str] = (), decode: Callable | None = None) -> None:
        """Runs to the end; rows end early where their text holds one of `stop`."""
        watch = stopping.Watch(stop, decode)
        while not self.finished:
            # Steps beyond a stop string are lost, so there are fewer before each look.
            self.advance(16 if stop else loop.CHUNK)
            watch.end_rows(self)
            self.check_positions()

    def advance(self, steps: int) -> None:
        """Generates at most `steps` more tokens a row, at least one."""
        if self._caches is None:
            self._prefill([self._prompts[i][-self.config.max_length :] for i in range(len(self._prompts))])
            return
        live = ~self.done
        room = self.config.max_length - int(self._seen[live].max())
        if room == 0:
            self._prefill([self._window(row) for row in range(len(self.done))])
            return
        steps = min(steps, loop.CHUNK, room, self.tokens.shape[1] - self._step)
        capacity = self._caches[0].capacity
        if self._used + steps > capacity:
            capacity = min(2 * capacity, prompts.bucket(self._most))
            grow = partial(loop.grow, slots=capacity)
            self._caches = parts.side_by_side(grow, [(cache,) for cache in self._caches])
        steps = min(steps, capacity - self._used)
        if self._changed:
            told = {"done": self._all_done()}
            told |= {"length": self._with_spare(self.length), "beyond": self._with_spare(self._beyond)}
            self._rows = [
                dataclasses.replace(rows, **jax.tree.map(jnp.asarray, found))
                for rows, found in zip(self._rows, parts.cut(told, self._parts), strict=True)
            ]
        given = [
            (self._structure, self._weights, self._rules, cache, rows, jnp.int32(steps))
            for cache, rows in zip(self._caches, self._rows, strict=True)
        ]
        self._caches, self._rows, out, numbers = zip(*parts.side_by_side(loop.extend, given), strict=True)
        self._used += steps
        before = self.length
        self._receive(out, numbers, steps)
        self._seen += self.length - before

    def end(self, row: int, length: int) -> None:
        """Ends a row after its first `length` tokens."""
        self.tokens[row, length:] = self._pad_id
        self.length[row] = length
        self.done[row] = self._changed = True
        self._beyond[row] = False

    def check_positions(self) -> None:
        """Raises ValueError if a number has become too long for the position scheme, but under `stop`."""
        if self._beyond.any() and self.overflow != "stop":
            row, position = int(self._beyond.argmax()), self.config.position
            what = "holds a number" if position.reads_tokens else "is"
            raise ValueError(
                f"row {row} {what} too long for position.{position.size_name}={position.size} after "
                f"{self.length[row]} new tokens; raise position.{position.size_name} or use overflow=stop"
            )

    def _window(self, row: int) -> np.ndarray:
        """The tokens that the model goes on from: half a window where it is full."""
        most = self.config.max_length
        prompt = self._prompts[self._prompt_of[row]]
        written = np.empty(self.length[row], prompt.dtype)
        written[:] = self.ids(row)
        history = np.concatenate([prompt, written])
        seen = int(self._seen[row])
        return history[-max(1, most // 2) :] if seen == most else history[-seen - 1 :]

    def _prefill(self, contexts: list[np.ndarray]) -> None:
        """Reads the contexts, one a prompt at first and one a row later, and takes one token a row."""
        first = len(contexts) == len(self._prompts) and self._caches is None
        repeats, more = (self._samples, self._filled) if first else (1, self._filled * self._samples)
        source = self._source
        if source is not None:
            source = self._padded(source if first else [source[i] for i in self._prompt_of], more)
        prompt = self._padded(contexts, more)
        texts, width = prompt.tokens.shape
        of = np.pad(np.repeat(np.arange(texts), repeats), (0, self._beside), mode="edge")
        # Not what is left to generate, which would give every move of the window a size of its own.
        ahead = min(self.tokens.shape[1], self.config.max_length)
        self._most = width + ahead + (self.config.memory or 0)
        present = None
        if self._rules.repetition_penalty is not None:
            present = np.zeros((len(of), self.config.vocab_size), bool)
            for row, index in enumerate(self._prompt_of):
                present[row, self._prompts[index].astype(np.int32)] = True
                present[row, self.tokens[row, : self.length[row]]] = True
        rows = loop.Rows(
            token=np.zeros(len(of), np.int32),
            length=self._with_spare(self.length),
            limit=self._with_spare(self._limits),
            done=self._all_done(),
            beyond=self._with_spare(self._beyond),
            present=present,
            keys=self._keys,
        )
        # Of each row its text, counted from the first of its part.
        repeated = None if len(of) == texts else (of % (texts // self._parts)).astype(np.int32)
        given = [
            (self._structure, self._weights, self._rules, *part)
            for part in parts.cut((rows, prompt, source, repeated), self._parts)
        ]
        prefill = partial(loop.prefill, slots=prompts.bucket(width + min(ahead, loop.CHUNK)))
        self._caches, self._rows, largest = zip(*parts.side_by_side(prefill, given), strict=True)
        prompts.check_positions(self.config, largest)
        self._used = width + (self.config.memory or 0)
        self._seen = np.array([len(contexts[i]) for i in of[: len(self.done)]], np.int32)
        self._receive(
            [rows.token[:, None] for rows in self._rows],
            [None if rows.number is None else rows.number[:, None] for rows in self._rows],
            1,
        )

    def _padded(self, texts: list[np.ndarray], more: int) -> prompts.Padded:
        """The texts, and the last of them `more` times again."""
        texts = [*texts, *texts[-1:] * more]
        return prompts.pad(texts, self.config.max_length, self.config.number)

    def _with_spare(self, values: np.ndarray) -> np.ndarray:
        return np.pad(values, (0, self._spare), mode="edge")

    def _all_done(self) -> np.ndarray:
        return np.pad(self.done, (0, self._spare), constant_values=True)

    def _receive(self, out: Sequence[jax.Array], numbers: Sequence[jax.Array | None], steps: int) -> None:
        """Takes over new tokens of all parts from the device, the one place that waits for it."""
        found = [(rows.length, rows.done, rows.beyond) for rows in self._rows]
        out, numbers, found = jax.device_get((out, numbers, found))
        count, now = len(self.done), slice(self._step, self._step + steps)
        if numbers[0] is not None:
            self.numbers[:, now] = np.concatenate(numbers)[:count, :steps]
        self.tokens[:, now] = np.concatenate(out)[:count, :steps]
        self.length, self.done, self._beyond = (
            np.concatenate(each)[:count] for each in zip(*found, strict=True)
        )
        self._step += steps
        self._changed = False
