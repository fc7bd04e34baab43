"""From an experiment to what its loop needs: tokenizer, tables, feed and program."""

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from jaxgpt import tokenizers
from jaxgpt.core import trust
from jaxgpt.data.corpus import Corpus, open_corpus
from jaxgpt.data.feed import DeviceFeed, HostFeed, make_feed
from jaxgpt.data.labelled import OBJECTIVES, build_labelled, label_names
from jaxgpt.data.noised import build_noised
from jaxgpt.data.order import Order
from jaxgpt.data.packing import Packed, pack
from jaxgpt.data.positions import check_positions, hidden_marker
from jaxgpt.data.rows import Rows, build_rows
from jaxgpt.data.stream import Stream, build_stream, windows
from jaxgpt.evaluation.questions import distinct
from jaxgpt.models.checks import unpackable
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.objectives.losses import NumberTokenLoss
from jaxgpt.parallel import sharding
from jaxgpt.task import Example, Split, shuffled
from jaxgpt.tokenizers.tokenizer import CorpusTexts, OutsideAlphabet, Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.program import Program
from jaxgpt.training.resolved import Resolved

if TYPE_CHECKING:
    from jaxgpt.training.start import Start

#: Examples of a generated task that a tokenizer learns from, at most; of a finite one it reads all, since
#: a character of the last document must be in the alphabet, too.
TOKENIZER_EXAMPLES = 20_000
#: Training examples whose prompts are searched for the answer's marker.
_LOOKED_AT = 2000


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Everything a run computes with.

    Attributes:
      experiment: as it was given; its task knows the fingerprint of its files.
      model: the experiment's, with all that follows from the tokenizer and the data filled in.
      resolved: what a run records of that.
      examples: of the training split.
      table: the same as tokens; with `training.packing` several in a row.
      validation: rows of the validation split, for the loss that ranks checkpoints.
      selection: the questions that weights are selected by; empty if none are.
      start: the weights to start from, where they are not drawn.
      unseen: symbols of the alphabet that no training text shows.
    """

    experiment: Experiment
    tokenizer: Tokenizer
    model: ModelConfig
    resolved: Resolved
    program: Program
    examples: list[Example]
    table: Rows | Packed | Stream
    feed: DeviceFeed | HostFeed
    validation: dict[str, np.ndarray]
    selection: list[Example]
    start: "Start | None" = None
    unseen: Sequence[str] = ()


def selection_questions(experiment: Experiment, tokenizer: Tokenizer, model: ModelConfig) -> list[Example]:
    """The questions that weights are selected by; none without `training.select_every`.

    Raises:
      ValueError: if the task has no such questions, or the model has no room for one.
    """
    training, task = experiment.training, experiment.task
    if not training.select_every:
        return []
    found = task.selection_questions(training.data_seed)
    if found is None:
        raise ValueError(
            f"training.select_every={training.select_every}: the task has no selection questions (for "
            "arithmetic set task.validation_digits); or set it to 0"
        )
    questions = distinct(found, training.select_examples)
    options = {"encoder_decoder": model.kind == "encoder_decoder", "max_length": model.max_length}
    with _naming("selection"):
        check_positions(model, build_rows(questions, tokenizer, **options), offsets=False)
    return questions


def start_of(model: ModelConfig, tokenizer: Tokenizer) -> "Start | None":
    """The weights that training starts from; None where they are drawn."""
    if not model.init:
        return None
    from jaxgpt.training.start import Start

    return Start(model, tokenizer)


def _check_marker(model: ModelConfig, tokenizer: Tokenizer, examples: list[Example]) -> None:
    """Raises ValueError if the position scheme could not tell where the answers begin."""
    if lost := hidden_marker(model.position, tokenizer, [e.prompt for e in examples[:_LOOKED_AT]]):
        kind = type(model.position).kind()
        raise ValueError(f"model.position={kind}: {lost}; or use --model.position rotary")


def training_examples(experiment: Experiment, split: Split, count: int) -> list[Example]:
    """The first `count` examples of a split; for training all of them where the task is finite.

    Held-out ones of a finite task are shuffled first, since a file may be sorted.
    """
    task, seed = experiment.task, experiment.training.data_seed
    examples = task.examples(split, seed)
    if task.endless:
        return list(itertools.islice(examples, count))
    return list(examples) if split == "train" else list(itertools.islice(shuffled(examples, seed), count))


def build_tokenizer(experiment: Experiment, examples: list[Example]) -> Tokenizer:
    """The experiment's tokenizer, trained on training text where it has to be; of tokens in files, theirs.

    The alphabet of a tokenizer of characters is that of the whole corpus, where the task is finite.

    Raises:
      ValueError: as `tokenizers.build`; if the experiment names another one than that of its files.
    """
    return tokenizer_and_unseen(experiment, examples)[0]


def tokenizer_and_unseen(experiment: Experiment, examples: list[Example]) -> tuple[Tokenizer, list[str]]:
    """`build_tokenizer`, and the symbols of its alphabet that held-out text alone shows."""
    files, spec = experiment.task.token_files(), experiment.tokenizer
    if files is not None and not spec:
        return open_corpus(files).tokenizer, []
    texts = _Texts(experiment, examples)
    built = tokenizers.build(spec, texts)
    if files is not None and built.fingerprint != open_corpus(files).tokenizer.fingerprint:
        raise ValueError(
            f"--tokenizer {spec} is not what {files} was tokenized with; leave it out, or tokenize the text "
            "with it"
        )
    return built, _unseen(built, spec, texts) if files is None else []


def _unseen(tokenizer: Tokenizer, spec: str, texts: "_Texts") -> list[str]:
    if not texts.alphabet:
        return []
    shown = set(tokenizers.build(spec, texts.train).token_texts())
    return [text for text in tokenizer.token_texts() if text not in shown]


def _unseen_again(experiment: Experiment, examples: list[Example], tokenizer: Tokenizer) -> list[str]:
    """The symbols that held-out text alone shows, of a run that goes on with its tokenizer."""
    if experiment.task.token_files() is not None or experiment.task.endless:
        return []
    texts = _AlphabetAlone(experiment, examples)
    try:
        with trust.from_file():  # which names the tokenizer
            tokenizers.build(experiment.tokenizer, texts)
            return _unseen(tokenizer, experiment.tokenizer, texts)
    except (_Learns, ValueError):  # or it is a directory, which may be gone
        return []


class _Texts(CorpusTexts):
    """What a tokenizer learns from; of a finite task also what it must be able to read.

    Attributes:
      alphabet: whether the symbols of all text were asked for.
    """

    def __init__(self, experiment: Experiment, examples: list[Example]):
        super().__init__(self.train, self._all)
        self._task, self._seed = experiment.task, experiment.training.data_seed
        self._examples = examples[: TOKENIZER_EXAMPLES if self._task.endless else None]
        self.alphabet = False

    def train(self) -> Iterator[str]:
        return (e.prompt + e.target for e in self._examples)

    def _all(self) -> Iterator[str]:
        self.alphabet = not self._task.endless
        yield from self.train()
        if self._task.endless:
            return
        for split in ("validation", "test"):
            with contextlib.suppress(ValueError):  # nothing is left for it; who needs it says so
                yield from (e.prompt + e.target for e in self._task.examples(split, self._seed))


class _Learns(Exception):
    """A tokenizer learns more from a text than its alphabet."""


class _AlphabetAlone(_Texts):
    """Texts of a run that goes on, whose tokenizer is not learned a second time.

    Raises:
      _Learns: if training text is asked for before the alphabet is.
    """

    def train(self) -> Iterator[str]:
        if not self.alphabet:
            raise _Learns
        return super().train()


def _corpus(experiment: Experiment) -> Corpus | None:
    """The tokens that are trained on, where they lie in files."""
    files = experiment.task.token_files()
    if files is None:
        return None
    if experiment.training.noise is not None:
        raise ValueError(f"training.noise needs texts, and {files} holds tokens; use the task text")
    return open_corpus(files)


@contextlib.contextmanager
def _naming(split: str):
    """Errors inside name the split, and what reads any text where a tokenizer does not."""
    try:
        yield
    except OutsideAlphabet as error:
        raise ValueError(f"{split} split: {error}; --tokenizer bytes reads any text") from error
    except ValueError as error:
        raise ValueError(f"{split} split: {error}") from error


def _check_labels(experiment: Experiment) -> None:
    """Raises ValueError if the model cannot be trained to tell labels, or the task has none."""
    objective, model = experiment.training.objective, experiment.model
    if experiment.task.layout == "stream":
        raise ValueError(f"training.objective={objective} is for questions, and the task is a text")
    if objective == "span" and model.labels_from != "each":
        raise ValueError("training.objective=span needs model.labels_from=each: it tells two of all tokens")
    if objective in ("choice", "pretraining") and model.labels_from == "each":
        raise ValueError(
            f"training.objective={objective} needs one token: set model.labels_from=first or last"
        )
    if model.kind == "decoder" and model.labels_from == "first":
        raise ValueError("a decoder's first token has seen nothing; set model.labels_from=last")
    if objective == "pretraining" and (model.kind != "encoder" or model.head == "none"):
        raise ValueError(
            "training.objective=pretraining has hidden tokens: set model.kind=encoder and model.head=tied"
        )


def _check_packing(experiment: Experiment) -> None:
    """Raises ValueError if examples cannot share rows."""
    task, training = experiment.task, experiment.training
    packing = f"training.packing={training.packing}"
    if task.layout == "stream":
        raise ValueError(
            f"{packing} is for questions; task={type(task).kind()} is a text without padding: set it to none"
        )
    if training.objective in OBJECTIVES:
        raise ValueError(
            f"{packing}: training.objective={training.objective} is of a row as a whole; set packing to none"
        )
    if refusal := unpackable(experiment.model):
        raise ValueError(f"{packing}: model.{refusal}; or set training.packing=none")


def _to_multiple(table: Rows, count: int, pad_id: int, *, extra: int, most: int) -> Rows:
    """Rows padded until the tokens that are read are a multiple of `count`, so that these can be spread.

    Args:
      extra: tokens of a row that are only predicted.
    """

    def padded(value: np.ndarray | None, fill: int, extra: int) -> np.ndarray | None:
        if value is None:
            return None
        width = math.ceil((value.shape[1] - extra) / count) * count
        if width > most:
            raise ValueError(
                f"rows of {value.shape[1] - extra} tokens, padded to {width} for training.mesh.sequence="
                f"{count}, exceed model.max_length={most}; set it to {width} or more"
            )
        widths = [(0, 0), (0, width + extra - value.shape[1])] + [(0, 0)] * (value.ndim - 2)
        return np.pad(value, widths, constant_values=fill)

    return dataclasses.replace(
        table,
        tokens=padded(table.tokens, pad_id, extra),
        numbers=padded(table.numbers, 0, extra),
        source=padded(table.source, pad_id, 0),
        source_numbers=padded(table.source_numbers, 0, 0),
    )


def _from_all_over(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows, at equal distances: the beginning of a text may differ from the rest."""
    count = min(count, len(rows))
    return rows[np.arange(count) * len(rows) // max(count, 1)]


def prepare(experiment: Experiment, tokenizer: Tokenizer | None = None) -> Prepared:
    """Build everything but the weights; `tokenizer` is that of a run that goes on.

    Raises:
      ValueError: for anything in the experiment that does not fit together or does not fit the data.
    """
    training, task = experiment.training, experiment.task
    if experiment.model.kind == "encoder" and task.layout == "stream" and training.objective != "all":
        raise ValueError(
            "model.kind=encoder learns a text by hidden tokens of it; set training.objective=all"
        )
    if training.packing is not None:
        _check_packing(experiment)
    labelled = training.objective in OBJECTIVES
    if labelled:
        _check_labels(experiment)
    if experiment.model.head == "none" and not labelled:
        raise ValueError("model.head=none gives no logits to train; set it to tied or separate")
    both = experiment.model.kind == "encoder_decoder"
    if task.layout == "stream" and both and training.noise is None:
        raise ValueError(
            f"task={type(task).kind()} is a text: an encoder-decoder restores it, so set "
            "training.noise, such as bart; or model.kind=decoder, which goes on with it"
        )
    if training.noise is not None and not (task.layout == "stream" and both):
        kind = type(training.noise).kind()
        raise ValueError(f"training.noise={kind} is for texts, which model.kind=encoder_decoder restores")
    for name in ("dtype", "param_dtype"):
        if getattr(experiment.model, name) == "float64" and not jax.config.jax_enable_x64:
            raise ValueError(
                f"model.{name}=float64 would be cut to float32; set JAX_ENABLE_X64=1 in the environment"
            )
    mesh = sharding.make_mesh(training.mesh, training.batch_size // training.accumulation, experiment.seeds)
    corpus = _corpus(experiment)
    experiment = dataclasses.replace(experiment, task=task.pinned())
    examples = training_examples(experiment, "train", training.train_examples)
    names = label_names(examples, experiment.model, training.objective) if labelled else ()
    resumed = tokenizer is not None
    if tokenizer is None:
        tokenizer, unseen = tokenizer_and_unseen(experiment, examples)
    else:
        unseen = _unseen_again(experiment, examples, tokenizer)
    model = experiment.model_for(tokenizer, names)
    if training.mesh.sequence > 1:  # the kernel wants all queries of a row on one device
        model = dataclasses.replace(model, attention_kernel="explicit")
    # A run that goes on has its weights, and may have outlived the directory.
    start = None if resumed else start_of(model, tokenizer)
    number_loss = None
    if training.number_loss != "none":
        number_loss = NumberTokenLoss.of(
            training.number_loss, training.number_loss_weight, tokenizer.token_texts()
        )
    held_out = training_examples(experiment, "validation", max(training.eval_examples, 1))
    if labelled:
        with _naming("train"):
            table = build_labelled(examples, tokenizer, model)
        with _naming("validation"):
            validation = build_labelled(held_out, tokenizer, model).arrays()
        window = 0
    elif training.noise is not None:
        options = {"max_length": model.max_length, "copies": training.noise_copies}
        with _naming("train"):
            table = build_noised(examples, tokenizer, training.noise, seed=training.data_seed, **options)
        with _naming("validation"):
            held = build_noised(held_out, tokenizer, training.noise, seed=training.data_seed, **options)
        most = max(training.eval_examples, 1)
        validation = {name: _from_all_over(value, most) for name, value in held.arrays().items()}
        window = 0
    elif corpus is not None:
        window = model.max_length
        table = corpus.windows("train", window)
        held = corpus.windows("validation", window)
        validation = held.batch(_from_all_over(np.arange(held.num_examples), max(training.eval_examples, 1)))
    elif task.layout == "stream":
        window = model.max_length
        with _naming("train"):
            table = build_stream(examples, tokenizer, window=window)
        with _naming("validation"):
            tokens = windows(build_stream(held_out, tokenizer, window=window).stream, window)
        validation = {"tokens": _from_all_over(tokens, max(training.eval_examples, 1))}
    else:
        # An encoder reads the last token of a row, too.
        longest = model.max_length - (model.kind == "encoder")
        options = {"encoder_decoder": model.kind == "encoder_decoder", "max_length": longest}
        count = mesh.shape[sharding.SEQUENCE_AXIS]

        def spread(table: Rows) -> Rows:
            if count == 1:
                return table
            extra = int(model.kind != "encoder")
            return _to_multiple(table, count, tokenizer.pad_id, extra=extra, most=model.max_length)

        with _naming("train"):
            table = spread(build_rows(examples, tokenizer, **options))
        with _naming("validation"):
            validation = spread(build_rows(held_out, tokenizer, **options)).arrays()
        window = 0
        if model.kind == "decoder":
            _check_marker(model, tokenizer, examples)
    check_positions(model, table)
    if training.packing is not None:
        table = pack(table, training.packing, tokenizer.pad_id)
    if training.epochs is not None:
        tokens = len(table.stream) / window if isinstance(table, Stream) else table.num_examples
        steps = max(1, math.ceil(training.epochs * tokens / training.batch_size))
        training = dataclasses.replace(training, steps=steps, epochs=None)
    orders = [
        Order(table.num_examples, training.batch_size, training.seed + replica)
        for replica in range(experiment.seeds)
    ]
    template = Template(model)
    program = Program(
        template=template,
        optimizer=experiment.optimizer,
        training=training,
        seeds=experiment.seeds,
        mesh=mesh,
        window=window,
        number_loss=number_loss,
    )
    feed = make_feed(table, orders, training.chunk, mesh, on_device_mib=training.on_device_mib)
    selection = selection_questions(experiment, tokenizer, model)
    resolved = Resolved.of(template, steps=training.steps, fingerprint=experiment.task.fingerprint)
    return Prepared(
        experiment,
        tokenizer,
        model,
        resolved,
        program,
        examples,
        table,
        feed,
        validation,
        selection,
        start,
        unseen,
    )
