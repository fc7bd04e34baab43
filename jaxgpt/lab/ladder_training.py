"""Training the rungs of the frozen-feature ladder: taggers of frozen features, and the model itself."""

import dataclasses
import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array

from jaxgpt.data.rows import Rows
from jaxgpt.lab.feature_ladder import FINE_TUNED, FRESH, READINGS, WEIGHTED, FeatureLadder, Rung
from jaxgpt.lab.feature_tagger import FeatureTagger, Logits, right, trained
from jaxgpt.lab.layer_choice import LayerChoice
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.lab.text_features import count_layers, row_features
from jaxgpt.models.structure import split
from jaxgpt.models.template import Template
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.labels import Labels
from jaxgpt.task import Example, Split, Task, shuffled

Say = Callable[[str], None]
#: One part of the tagged texts on the device, by name, N along the first dimension.
Data = dict[str, Array]


@dataclasses.dataclass(frozen=True)
class LadderConfig:
    """How the taggers of a ladder are trained; all rungs alike.

    Raises:
      ValueError: for a value out of range.
    """

    labelled: Annotated[int, "tagged texts that are trained on"] = 300
    validation: Annotated[int, "tagged texts that choose each rung's learning rate"] = 200
    test: Annotated[int, "tagged texts that are asked"] = 500
    hidden: Annotated[int, "width of each direction of the biLSTM; 768 in the paper"] = 64
    steps: Annotated[int, "steps of training"] = 300
    batch_size: Annotated[int, "texts a step"] = 16
    learning_rates: Annotated[tuple[float, ...], "tried on each rung"] = (3e-4, 1e-3, 3e-3)
    seeds: Annotated[int, "taggers of each rung; intervals of differences need 6"] = 6
    seed: Annotated[int, "of the first tagger"] = 0

    def __post_init__(self):
        for name in ("labelled", "validation", "test", "hidden", "steps", "batch_size", "seeds"):
            if getattr(self, name) < 1:
                raise ValueError(f"ladder.{name}={getattr(self, name)} must be at least 1")
        if self.seed < 0:
            raise ValueError(f"ladder.seed={self.seed} must be at least 0")
        if not self.learning_rates or not all(0 < rate < math.inf for rate in self.learning_rates):
            raise ValueError(f"ladder.learning_rates={self.learning_rates}: give positive ones")
        if self.batch_size > self.labelled:
            raise ValueError(
                f"ladder.batch_size={self.batch_size} is more than ladder.labelled={self.labelled}; lower it"
            )

    @property
    def all_seeds(self) -> range:
        """Of the taggers."""
        return range(self.seed, self.seed + self.seeds)


def feature_ladder(
    source: Source | Subject,
    task: Task,
    config: LadderConfig = LadderConfig(),
    readings: Sequence[str] = READINGS,
    say: Say | None = None,
) -> FeatureLadder:
    """Train taggers of words on the frozen features of a model, and fine-tune the model beside them.

    Every rung has the same texts, steps, batch size and learning rates to try. Its seeds differ in their
    first weights and in the order of the texts, and seed i has the same order on every rung. The rate that
    tags most validation words right, all seeds together, is the rung's. Then the test texts are asked.

    Args:
      source: a run, its directory, or a model with its tokenizer; the first model is read.
      task: gives tagged texts: words with spaces between them as prompt, a tag a word as target.
      readings: layers as `LayerChoice` names them; `weighted-sum-all` has weights that are learned.
      say: is told of each rung as it is done.

    Raises:
      ValueError: for a model of another kind than encoder or decoder, or without the layers; where the task
        has too few texts, or one has another number of tags than words, or is too long.
    """
    subject = Subject.of(source)
    model = subject.models[0]
    if model.config.kind == "encoder_decoder" or model.config.number is not None:
        raise ValueError("a ladder needs an encoder or a decoder whose numbers are not one token each")
    if not readings:
        raise ValueError(f"readings={readings!r}: give at least one")
    depth = count_layers(model)
    choices = {name: LayerChoice.of("all" if name == WEIGHTED else name, depth) for name in readings}
    texts = [
        _taken(task, "train", config.labelled, "labelled"),
        _taken(task, "validation", config.validation, "validation"),
        _taken(task, "test", config.test, "test"),
    ]
    names = tuple(sorted({tag for example in itertools.chain(*texts) for tag in example.target.split()}))
    parts = [_rows(part, subject, names) for part in texts]
    every = _Rungs(model, depth, parts, len(names), config)
    rungs = []
    for name in (FRESH, *choices, FINE_TUNED):
        layers = depth + 1 if name == WEIGHTED else 1
        made = every.frozen(choices[name], layers) if name in choices else every.whole(name)
        rungs.append(_rung(name, *made, config))
        if say is not None:
            say(f"{name}: {100 * np.mean(rungs[-1].right):.2f} % right, learning rate {rungs[-1].rate:g}")
    counts = Counter(tag for example in texts[0] for tag in example.target.split())
    told = [tag for example in texts[2] for tag in example.target.split()]
    chance = told.count(counts.most_common(1)[0][0]) / len(told)
    return FeatureLadder(tuple(rungs), chance, len(told), config.labelled)


def _taken(task: Task, split: Split, count: int, field: str) -> list[Example]:
    """Examples from all over a split."""
    every = task.examples(split)
    found = list(itertools.islice(every if task.endless else shuffled(every, 0), count))
    if len(found) < count:
        raise ValueError(f"the task has {len(found)} {split} texts; lower ladder.{field}={count}")
    return found


def _rows(examples: Sequence[Example], subject: Subject, names: tuple[str, ...]) -> Rows:
    """The texts as tokens, with the number of a tag at the first token of each word."""
    told = dataclasses.replace(
        subject.models[0].config, labels=0, label_names=names, labels_from="each", pooler=False
    )
    return Labels().rows(examples, subject.tokenizer, told)


class _Rungs:
    """What each rung trains: data of the three parts, logits, and the first parameters of each seed."""

    def __init__(
        self, model: Transformer, depth: int, parts: Sequence[Rows], tags: int, config: LadderConfig
    ):
        self._model, self._depth, self._parts = model, depth, parts
        self._tags, self._config = tags, config
        every = LayerChoice.of("all", depth)
        self._states = [
            row_features(model, [part.ids(i) for i in range(part.num_examples)], every) for part in parts
        ]

    def frozen(self, choice: LayerChoice, layers: int) -> tuple[list[Data], Logits, Any]:
        """Of a tagger that reads frozen features, or a learned sum of so many layers of them."""
        pairs = zip(self._parts, self._states, strict=True)
        data = [self._features(part, choice, states) for part, states in pairs]
        width = data[0]["features"].shape[-1] // layers

        def tagger(seed: int) -> tuple[Any, Any]:
            hidden, rngs = self._config.hidden, nnx.Rngs(seed)
            return nnx.split(FeatureTagger(width, hidden, self._tags, layers=layers, rngs=rngs))

        each = [tagger(seed) for seed in self._config.all_seeds]
        return data, _Frozen(each[0][0]), _stacked([state for _, state in each])

    def _features(self, part: Rows, choice: LayerChoice, states: np.ndarray) -> Data:
        """The features of a part's texts, padded to one length."""
        apart = np.split(states, self._depth + 1, axis=-1)
        joined = np.asarray(choice.joins([jnp.asarray(state) for state in apart]))
        real = np.arange(part.tokens.shape[1]) < part.length[:, None]
        features = np.zeros((*part.tokens.shape, joined.shape[-1]), np.float32)
        features[real] = joined
        return _on_device(features=features, real=real, labels=part.labels)

    def whole(self, name: str) -> tuple[list[Data], Logits, Any]:
        """Of the model itself, with its own weights or with fresh ones, and a new softmax."""
        structure, weights = split(self._model)
        template = Template(self._model.config)
        each, data = [], []
        for part in self._parts:
            place = np.arange(part.tokens.shape[1])
            order = np.where(place < part.length[:, None], place, -1)
            data.append(_on_device(tokens=part.tokens.astype(np.int32), order=order, labels=part.labels))
        for seed in self._config.all_seeds:
            key, head = jax.random.split(jax.random.key(seed))
            own = split(template.model(template.init(key)))[1] if name == FRESH else weights
            drawn = 0.02 * jax.random.normal(head, (self._model.config.hidden_width, self._tags))
            each.append({"model": own, "out": drawn, "bias": jnp.zeros(self._tags)})
        return data, _Whole(structure), _stacked(each)


def _on_device(**arrays: np.ndarray) -> Data:
    return {name: jnp.asarray(array) for name, array in arrays.items()}


def _stacked(each: Sequence[Any]) -> Any:
    """Parameters of the seeds side by side."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


@dataclasses.dataclass(frozen=True)
class _Frozen:
    """The logits of a tagger of features; equal, and so compiled once, where its structure is."""

    graph: Any

    def __call__(self, params: Any, batch: Mapping[str, Array]) -> Array:
        return nnx.merge(self.graph, params)(batch["features"], batch["real"])


@dataclasses.dataclass(frozen=True)
class _Whole:
    """The logits of a model whose weights are all trained, from its last layer."""

    structure: Any

    def __call__(self, params: Any, batch: Mapping[str, Array]) -> Array:
        model = self.structure.model(params["model"])
        hidden = model(batch["tokens"], order=batch["order"], logits_of="none").hidden
        return hidden.astype(jnp.float32) @ params["out"] + params["bias"]


def _rung(name: str, data: list[Data], logits: Logits, params: Any, config: LadderConfig) -> Rung:
    """Train at each learning rate, choose one by validation, and ask the test texts."""
    keys = jnp.stack([jax.random.key(seed) for seed in config.all_seeds])
    ask = functools.partial(right, logits, batch_size=config.batch_size)
    best: tuple[int, float, Any] | None = None
    for rate in config.learning_rates:
        found = trained(
            logits, params, data[0], keys, jnp.float32(rate), steps=config.steps, batch_size=config.batch_size
        )
        score = int(ask(found, data[1]).sum())
        if best is None or score > best[0]:
            best = (score, rate, found)
    words = int((data[2]["labels"] >= 0).sum())
    return Rung(name, best[1], tuple((np.asarray(ask(best[2], data[2])) / words).tolist()))
