"""Models that learn the kept sets and write new ones: a transformer, and a bigram in its place."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from jaxgpt.generation import Sampling
from jaxgpt.generation.decode import generate
from jaxgpt.generation.prompts import bucket
from jaxgpt.models.template import Params, Template
from jaxgpt.objectives.batches import Batch
from jaxgpt.parallel import sharding
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.search import reward_model
from jaxgpt.search.policy import PolicyGradient
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.set_tokens import BEGIN, END, PAD, SetTokens
from jaxgpt.training.program import Program, State
from jaxgpt.training.training_config import TrainingConfig

#: Optimizer steps of one dispatch.
_CHUNK = 50
#: Sets that are written side by side.
_TOGETHER = 1024

Arrays = dict[str, np.ndarray]

#: What the names of a transformer's arrays begin with: its weights, those that it began with, a reward model.
_WEIGHTS, _REFERENCE, _REWARD = "weights/", "reference/", "reward/"


class Written(NamedTuple):
    """What a model wrote.

    Attributes:
      rows: tokens, each row's behind the first token.
      given: how many tokens of each row it was given.
      sets: what the rows stand for.
    """

    rows: Int[np.ndarray, "S N"]
    given: Int[np.ndarray, " S"]
    sets: Bool[np.ndarray, "S E"]


class SetModel(Protocol):
    """What learns sets and writes new ones. What it knows is arrays, which are saved between generations."""

    def prepare(self, sets: Bool[np.ndarray, "K E"], begun: list[list[int]]) -> None:
        """Compile what learns so many sets and writes rows that begin so, so that it takes no time later."""
        ...

    def learn(
        self, known: Arrays, sets: Bool[np.ndarray, "K E"], share: np.ndarray, seed: int
    ) -> tuple[Arrays, float | None]:
        """What is known after these sets were learned, each so often as its share says; and the last loss."""
        ...

    def write(
        self, known: Arrays, begun: list[list[int]], temperature: float, seed: int
    ) -> Int[np.ndarray, "S N"]:
        """Rows that begin with these tokens, each behind the first token."""
        ...

    def rewarded(self, known: Arrays, written: Written, scores: Float[np.ndarray, " S"], seed: int) -> Arrays:
        """What is known after rows that it wrote were scored."""
        ...


class TransformerModel:
    """A transformer, whose weights are kept from generation to generation, with an optimizer begun anew."""

    def __init__(self, tokens: SetTokens, config: SearchConfig):
        self._tokens, self._config = tokens, config
        model = dataclasses.replace(config.model, vocab_size=tokens.vocab_size, max_length=tokens.longest + 2)
        training = TrainingConfig(
            steps=config.train_steps,
            batch_size=config.batch_size,
            chunk=min(_CHUNK, config.train_steps),
        )
        mesh = sharding.make_mesh(MeshConfig(), config.batch_size)
        self._where = sharding.replicated(mesh)
        self._program = Program(Template(model), config.optimizer, training, seeds=1, mesh=mesh, window=0)
        self._compiled: Callable | None = None
        #: Sets that the compiled step has room for.
        self._room = 0
        self._policy = PolicyGradient(
            self._program.template, rate=config.policy_rate, stay=config.stay, batch_size=config.batch_size
        )

    def prepare(self, sets: Bool[np.ndarray, "K E"], begun: list[list[int]]) -> None:
        known = self._drawn(0)
        self._step(
            self._program.init(known), self._data(sets), np.zeros((1, self._config.batch_size), np.int32), 0
        )
        known = _named(_WEIGHTS, known)
        rows = self.write(known, begun, 1.0, 0)
        for length in self._longer(begun):  # beside short ones, which have the most to write
            mixed = [[BEGIN] * (length if row % 2 == 0 else 0) for row in range(len(begun))]
            self.write(known, mixed, 1.0, 0)
        if self._config.feedback == "policy":
            read, _ = self._tokens.read(rows)
            known |= _named(_REFERENCE, _part(known, _WEIGHTS))
            self.rewarded(known, Written(rows, lengths(begun), read), read.sum(1), 0)

    def _longer(self, begun: list[list[int]]) -> list[int]:
        """Lengths that beginnings may grow to, one for each larger program.

        Sets grow by the local search, so that parts of them become longer than those of greedy fill.
        """
        found, most = [], math.floor(self._config.given * self._tokens.longest)
        width = bucket(1 + max(map(len, begun)))
        while width < 1 + most:
            width *= 2
            found.append(min(width - 1, most))
        return found

    def learn(
        self, known: Arrays, sets: Bool[np.ndarray, "K E"], share: np.ndarray, seed: int
    ) -> tuple[Arrays, float | None]:
        if known and self._config.feedback == "policy":
            return known, None
        data, steps, size = self._data(sets), self._config.train_steps, self._config.batch_size
        state = self._program.init(_part(known, _WEIGHTS) or self._drawn(seed))
        rows = np.random.default_rng([seed, 1]).choice(len(sets), size=(steps, size), p=share)
        for first in range(0, steps, _CHUNK):
            state, loss = self._step(state, data, rows[first : first + _CHUNK].astype(np.int32), first)
        if not np.isfinite(loss):
            raise ValueError(f"the training loss is {loss}: not finite; lower optimizer.learning_rate")
        learned = _named(_WEIGHTS, state["params"])
        if self._config.feedback == "policy":
            learned |= _named(_REFERENCE, state["params"])
        return learned, loss

    def rewarded(self, known: Arrays, written: Written, scores: Float[np.ndarray, " S"], seed: int) -> Arrays:
        if self._config.feedback != "policy":
            return known
        known, scores = dict(known), np.asarray(scores, float)
        if self._config.reward == "pairs":
            learned = reward_model.fit(_part(known, _REWARD), written.sets, scores, seed)
            known |= _named(_REWARD, learned)
            scores = reward_model.values(learned, written.sets)
        rows = np.pad(written.rows, ((0, 0), (1, 0)), constant_values=BEGIN)
        weights = self._policy.after(
            _part(known, _WEIGHTS), _part(known, _REFERENCE), rows, written.given, scores
        )
        return known | _named(_WEIGHTS, weights)

    def _drawn(self, seed: int) -> Params:
        return self._program.template.init(jax.random.key(seed))

    def _data(self, sets: Bool[np.ndarray, "K E"]) -> Batch:
        """The sets over and over, since a program is compiled for one number of them."""
        if len(sets) > self._room:
            self._room, self._compiled = 1 << (len(sets) - 1).bit_length(), None
        table = self._tokens.rows(sets[np.arange(self._room) % len(sets)])
        return {name: sharding.put(value, self._where) for name, value in table.arrays().items()}

    def _step(
        self, state: State, data: Batch, rows: Int[np.ndarray, "C B"], first: int
    ) -> tuple[State, float]:
        """The state after a step on each of these batches, and their mean loss."""
        if self._compiled is None:
            self._compiled = self._program.compile(data).compile()
        chunk, count = self._program.training.chunk, len(rows)
        index = np.zeros((chunk, 1, rows.shape[1]), np.int32)
        index[:count, 0] = rows
        put = partial(sharding.put, sharding=self._where)
        state, metrics = self._compiled(state, data, put(index), put(np.int32(first)), put(np.int32(count)))
        return state, float(np.asarray(metrics["loss"])[:count, 0].mean())

    def write(
        self, known: Arrays, begun: list[list[int]], temperature: float, seed: int
    ) -> Int[np.ndarray, "S N"]:
        weights: Params = {name: jnp.asarray(value) for name, value in _part(known, _WEIGHTS).items()}
        model = self._program.template.model(weights)
        found = np.full((len(begun), self._tokens.longest + 1), PAD, np.int32)
        for first in range(0, len(begun), _TOGETHER):
            rows = begun[first : first + _TOGETHER]
            new = generate(
                model,
                [[BEGIN, *row] for row in rows],
                max_new_tokens=self._tokens.longest + 1,
                sampling=Sampling(temperature=temperature, seed=seed),
                eos_id=END,
                pad_id=PAD,
                row_ids=range(first, first + len(rows)),
                overflow="stop",
            )
            for row, (start, rest) in enumerate(zip(rows, new, strict=True)):
                whole = [*start, *rest][: found.shape[1]]
                found[first + row, : len(whole)] = whole
        return found


class BigramModel:
    """Each token follows the one before it as often as in the sets: the control of the transformer.

    It has no policy: with `feedback=policy` it learns the kept sets in each generation, all alike.
    """

    def __init__(self, tokens: SetTokens, config: SearchConfig):
        self._tokens = tokens

    def prepare(self, sets: Bool[np.ndarray, "K E"], begun: list[list[int]]) -> None:
        pass

    def learn(
        self, known: Arrays, sets: Bool[np.ndarray, "K E"], share: np.ndarray, seed: int
    ) -> tuple[Arrays, float | None]:
        table = self._tokens.rows(sets).tokens
        before, after = table[:, :-1], table[:, 1:]
        real = after != PAD
        weight = np.broadcast_to(share[:, None], before.shape)[real]
        order = np.argsort(before[real], kind="stable")
        return {
            "before": before[real][order],
            "after": after[real][order],
            "weight": np.cumsum(weight[order]),
        }, None

    def write(
        self, known: Arrays, begun: list[list[int]], temperature: float, seed: int
    ) -> Int[np.ndarray, "S N"]:
        draw, known = np.random.default_rng([seed, 2]), _at_temperature(known, temperature)
        found = np.full((len(begun), self._tokens.longest + 1), PAD, np.int32)
        for row, start in enumerate(begun):
            found[row, : len(start)] = start
        length = lengths(begun)
        last = np.array([start[-1] if start else BEGIN for start in begun])
        running = np.concatenate([[0.0], known["weight"]])
        going = np.ones(len(begun), bool)
        while (going := going & (length < found.shape[1])).any():
            low = running[np.searchsorted(known["before"], last[going], "left")]
            high = running[np.searchsorted(known["before"], last[going], "right")]
            at = np.searchsorted(running, low + draw.random(going.sum()) * (high - low), "right") - 1
            last[going] = known["after"][np.minimum(at, len(known["after"]) - 1)]
            found[going, length[going]] = last[going]
            length[going] += 1
            going &= last != END
        return found

    def rewarded(self, known: Arrays, written: Written, scores: Float[np.ndarray, " S"], seed: int) -> Arrays:
        return known


def lengths(begun: list[list[int]]) -> Int[np.ndarray, " S"]:
    """The number of tokens of each beginning."""
    return np.array([len(start) for start in begun], int)


def _at_temperature(table: Arrays, temperature: float) -> Arrays:
    """A bigram's table with each probability raised to 1 / temperature; at 1 the table itself."""
    if temperature == 1:
        return table
    pairs, pair = np.unique(np.stack([table["before"], table["after"]]), axis=1, return_inverse=True)
    weight = np.bincount(pair.ravel(), np.diff(table["weight"], prepend=0.0))
    # Over the largest that follows the same token: no low temperature makes 0 of all that may follow.
    largest = np.zeros(pairs[0].max() + 1)
    np.maximum.at(largest, pairs[0], weight)
    share = np.divide(weight, largest[pairs[0]], out=np.zeros_like(weight), where=weight > 0)
    return {"before": pairs[0], "after": pairs[1], "weight": np.cumsum(share ** (1 / temperature))}


def _part(known: Arrays, name: str) -> Arrays:
    """The arrays whose names begin so, without that beginning."""
    return {key.removeprefix(name): value for key, value in known.items() if key.startswith(name)}


def _named(name: str, arrays: Mapping[str, Any]) -> Arrays:
    """Arrays whose names begin so."""
    return {name + key: np.asarray(value) for key, value in arrays.items()}
