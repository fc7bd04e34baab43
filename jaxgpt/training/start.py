"""Training that starts from a trained model: its weights, its tokenizer or another."""

import dataclasses
import re
from collections.abc import Callable, Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgpt.core import fields
from jaxgpt.core.paths import expanded
from jaxgpt.huggingface import tokenizer_files
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan, read_weights
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Params, Template
from jaxgpt.parallel import sharding
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.given_weights import GivenWeights
from jaxgpt.training.tuning import HEADS

#: Weights with an entry for each id of the vocabulary, and along which axis.
_BY_ID = {"embedding.table": 0, "head": 1, "head_bias": 0}


def starting_from(experiment: Experiment, path: str) -> Experiment:
    """The experiment with the model of a directory, whose weights its training starts from.

    Text is read by the directory's tokenizer, where it has one.

    Raises:
      ValueError: as `jaxgpt.load_hf`.
    """
    directory = Directory(path)
    plan = Plan.of(directory, None, {})
    # As many ids as the tokenizer has: some files have empty rows behind them. The data name its labels.
    model = dataclasses.replace(plan.config, init=str(path), vocab_size=0, label_names=())
    own = tokenizer_files.read(directory.path) is not None
    return dataclasses.replace(experiment, model=model, tokenizer=str(path) if own else experiment.tokenizer)


#: A model's size in short: blocks and width, such as `4x128`.
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
#: The fields that it sets.
SIZE_FIELDS = ("model.num_layers", "model.d_model", "model.num_heads")


def is_size(text: str) -> bool:
    """Whether a value of `model` is a size such as `4x128`, and no preset."""
    return _SIZE.fullmatch(text) is not None


def sized(experiment: Experiment, text: str) -> dict[str, str]:
    """The fields of a size such as `4x128`: blocks, width, and as many heads of the width that they have.

    Raises:
      ValueError: if the width is not divisible by that of a head.
    """
    layers, width = map(int, _SIZE.fullmatch(text).groups())
    model = experiment.model
    head = model.d_model // model.num_heads
    if not width or width % head:
        raise ValueError(
            f"model={text}: a width of {width} is not divisible by {head}, the width of a head here; give a "
            f"multiple of {head}, or set model.num_layers, model.d_model and model.num_heads"
        )
    return dict(zip(SIZE_FIELDS, map(str, (layers, width, width // head)), strict=True))


def spelled_out(experiment: Experiment, values: Mapping[str, str]) -> Mapping[str, str]:
    """The values of fields, with those that a size of `model` sets in its place; one given beside it counts.

    Raises:
      ValueError: as `sized`.
    """
    given = {path.replace("-", "_"): text for path, text in values.items()}
    if not is_size(given.get("model", "")):
        return values
    return sized(experiment, given.pop("model")) | given


def override(
    experiment: Experiment,
    values: Mapping[str, str],
    *,
    begin: bool = False,
    starting: Callable[[Experiment, str], Experiment] = starting_from,
) -> Experiment:
    """`fields.override`; `model` may be a size, and `model.init` comes first and brings its whole model.

    Args:
      begin: the experiment is as its function gave it, whose own `model.init` brings its model, too.
      starting: what that makes of an experiment; `jaxgpt.runs.run_weights` knows run directories, too.

    Raises:
      ValueError: as `fields.override` and `starting`.
    """
    given = {path.replace("-", "_"): text for path, text in values.items()}
    path = given.get("model.init", experiment.model.init if begin else "")
    if path and "model" in given:
        raise ValueError("--model names a model and so does model.init; give --model.init alone")
    values = spelled_out(experiment, values)
    if path:
        experiment = starting(experiment, path)
    return fields.override(experiment, values)


class DirectoryWeights(GivenWeights):
    """The model of a directory of transformers.

    Raises:
      ValueError: as `jaxgpt.load_hf`.
    """

    def __init__(self, path: str, *, dtype: str, layers: str):
        self.path = path
        if (expanded(path) / "experiment.json").is_file():
            raise ValueError(
                f"{path} is a run directory: jaxgpt.train starts from it, and a Trainer with "
                "given=jaxgpt.runs.run_weights.weights_of(experiment)"
            )
        self._directory = Directory(path)
        self._plan = Plan.of(self._directory, dtype, {"layers": layers})
        self.config = self._plan.config
        self.tokenizer = tokenizer_files.read(self._directory.path)

    def read(self) -> list[Params]:
        return [read_weights(self._directory, self._plan, sharding.local_mesh())]


class Start:
    """The weights of `model.init`, for a model and a tokenizer that may be others than theirs.

    Ids whose texts the tokenizer of the weights has keep their rows, wherever they stand; the others are
    drawn. A shorter context keeps the first positions. Heads may be left out or be new. An encoder may become
    that of an encoder-decoder, whose decoder is drawn (Rothe et al. 2020, arXiv 1907.12461, BERT2RND).

    Args:
      model: with its vocabulary.
      given: the weights; None: those of a directory of transformers.
      seeds: that are trained.

    Attributes:
      new: the stack that is drawn; "": none.
      apart: whether `weights` have a leading dimension of seeds, each of which starts from its own.

    Raises:
      ValueError: if the weights are of another model; the message names the field.
    """

    def __init__(
        self,
        model: ModelConfig,
        tokenizer: Tokenizer,
        given: GivenWeights | None = None,
        seeds: range = range(1),
    ):
        given = given or DirectoryWeights(model.init, dtype=model.param_dtype, layers=model.layers)
        self._model, self._given = model, given
        there, here = Template(given.config).shapes, Template(model).shapes
        other = [n for n in there if n.split(".")[0] == "labels" and not given.has_labels_of(model)]
        self._rows = _rows(given, tokenizer, model.vocab_size)
        self._tied = given.config.head.weights == "tied" and model.head.weights == "separate"
        self._check_embedding()
        drawn = [n for n in here if n in other or (n not in there and not (self._tied and n == "head"))]
        left = [n for n in there if n in other or n not in here]
        grown = given.config.kind == "encoder" and model.kind == "encoder_decoder"
        if grown and given.config.num_layers != model.num_encoder_layers:
            raise ValueError(
                f"the encoder of {model.init} has {given.config.num_layers} layers, and this one "
                f"{model.num_encoder_layers}; set model.encoder_layers={given.config.num_layers}"
            )
        self.new = "decoder" if grown else ""
        for name in (*drawn, *left):
            if name.split(".")[0] not in (*HEADS, self.new):
                whose = "the model" if name in here else f"{model.init}"
                raise ValueError(
                    f"{model.init} is another model: {name} is in {whose} alone; leave the fields of the "
                    "model that are not its heads as --model.init sets them"
                )
        for name in here:
            if name not in there or name in drawn:
                continue
            if here[name] != there[name] and not self._fits(name, there[name], here[name]):
                raise ValueError(
                    f"{model.init} is another model: its {name} has the shape {list(there[name])}, this "
                    f"one's {list(here[name])}; leave the fields of the model as --model.init sets them"
                )
        self.drawn, self.left = tuple(drawn), tuple(left)
        self._replicas = given.replicas_of(seeds)
        self.apart = len(set(self._replicas)) > 1

    def _check_embedding(self) -> None:
        """Refuses weights of an embedding that cannot be taken over id by id."""
        there, here = self._given.config.embedding.kind, self._model.embedding.kind
        if there != here:
            raise ValueError(
                f"{self._model.init} is another model: it has embedding.kind={there}, and this one {here}; "
                "leave the fields of the model as --model.init sets them"
            )
        if here != "free" and (self._rows is not None or self._tied):
            raise ValueError(
                f"{self._model.init} has embedding.kind={here}, whose weights are not those of single ids: "
                "its tokenizer, its vocabulary and its head.weights have to stay"
            )

    @property
    def note(self) -> str:
        """What a person should know of the weights, in one line."""
        parts = [f"from {self._model.init}", *(["each seed from its own replica"] if self.apart else [])]
        if self._rows is not None:
            known = int((self._rows >= 0).sum())
            parts.append(f"{known:,} of {len(self._rows):,} ids known to it")
        for what, names in (("drawn", self.drawn), ("left out", self.left)):
            if names:
                found = {self.new if name.split(".")[0] == self.new else name for name in names}
                parts.append(f"{what}: {', '.join(sorted(found))}")
        return "; ".join(parts)

    def weights(self) -> Params:
        """The weights by their names, in the shapes of the model; those that are drawn are not among them.

        They are arrays of the host: where they were read they lie on one device, or replicas on several, and
        a run lays them out over its mesh.
        """
        replicas = self._given.read()
        if not self.apart:
            found = self._fitted(replicas[self._replicas[0]])
            return {name: np.asarray(value) for name, value in found.items()}
        each = [self._fitted(replicas[index]) for index in self._replicas]
        return {name: np.stack([np.asarray(params[name]) for params in each]) for name in each[0]}

    def _fitted(self, found: Params) -> Params:
        found = dict(found)
        if self._tied:
            found["head"] = found["embedding.table"].T
        found = {name: value for name, value in found.items() if name not in self.left}
        for name, axis in _BY_ID.items():
            if name in found and self._rows is not None:
                found[name] = _by_id(found[name], axis, self._rows)
        for name, shape in Template(self._model).shapes.items():
            if name in found and found[name].shape != shape:
                found[name] = found[name][: shape[0]]
        return found

    def _fits(self, name: str, there: tuple[int, ...], here: tuple[int, ...]) -> bool:
        """Whether weights of another shape can be cut to this one."""
        if name in _BY_ID:
            return True
        position = name.split(".")[1:] == ["tables", "table"]
        return position and here[1:] == there[1:] and here[0] < there[0]


def _by_id(table: Array, axis: int, rows: np.ndarray) -> Array:
    """The entries of a table in the order of `rows`; where that is -1, drawn."""
    value = jnp.take(table, np.maximum(rows, 0), axis=axis)
    if (rows >= 0).all():
        return value
    # As spread as those that are there, so that new ids are neither loud nor mute.
    drawn = np.random.Generator(np.random.Philox(key=axis)).standard_normal(value.shape)
    known = (rows >= 0).reshape([-1 if i == axis else 1 for i in range(value.ndim)])
    return jnp.where(known, value, jnp.asarray(drawn * float(jnp.std(table)), value.dtype))


def _rows(given: GivenWeights, tokenizer: Tokenizer, size: int) -> np.ndarray | None:
    """For each id of the model that of the weights with the same meaning, or -1; None: they agree.

    A model has ids that are not its tokenizer's, for hidden tokens and marks: they are behind the others.
    """
    own, count = given.tokenizer, given.config.vocab_size
    if own is not None and own.fingerprint == tokenizer.fingerprint and size == count:
        return None
    rows = np.full(size, -1)
    found = _same_texts(own, tokenizer.token_texts(), tokenizer, count)[:size]
    rows[: len(found)] = found
    return None if size == count and np.array_equal(rows, np.arange(size)) else rows


def _same_texts(own: Tokenizer | None, texts: list[str], tokenizer: Tokenizer, count: int) -> np.ndarray:
    """For each of a tokenizer's texts the id of the weights, of which there are `count`, or -1."""
    theirs = texts if own is None else own.token_texts()
    if texts[: len(theirs)] == theirs:
        same = np.arange(len(texts))
        return np.where(same < min(len(theirs), count), same, -1)
    known: dict[str, int] = {}
    for index, text in enumerate(theirs[:count]):
        known[text] = -1 if text in known else index  # parts of characters share a text: no one's row
    rows = np.asarray([known.get(text, -1) if text else -1 for text in texts])
    for name in ("pad_id", "bos_id", "eos_id"):
        rows[getattr(tokenizer, name)] = getattr(own, name)
    return rows
