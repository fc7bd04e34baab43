"""The tasks as tensorflow-datasets: each dataset a task, each config a variant of it.

    import tensorflow_datasets as tfds
    from tasks import datasets

    datasets.register()
    rows = tfds.data_source("arithmetic/addition", split="train", data_dir="data")
    rows[0]  # {"prompt": b"...", "target": b"...", "group": b"...", "key": b"..."}

    datasets.register(text="poem.txt", synopses="films.csv")  # these read a file of yours
    rows = tfds.data_source("synopses", split="test", data_dir="data")

The variants are the tasks of the experiments with the same names, and of `strings` also those of rules that
ask, such as `strings/reversal`; the rows of `text` are blocks of its splits, each of about 2000 characters.
tensorflow_datasets is imported by `register`, not with this module.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from jaxgpt.data.documents import Documents
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from tasks import arithmetic, magic_squares, names, strings, synopses, text

#: The experiments whose tasks become the configs of a dataset, the default first.
DATASETS: Mapping[str, tuple[Callable[[], Experiment], ...]] = {
    "arithmetic": (
        arithmetic.addition,
        arithmetic.addition_plain,
        arithmetic.addition_steps,
        arithmetic.subtraction,
        arithmetic.multiplication,
        arithmetic.decomposition,
        arithmetic.decomposition_spaced,
    ),
    "magic_squares": (magic_squares.magic_squares, magic_squares.magic_squares_document),
    "strings": (
        strings.equal_places,
        strings.equal_places_long,
        strings.one_mark,
        strings.two_marks,
        strings.board,
        strings.fibonacci,
        strings.fibonacci_reversed,
        strings.fibonacci_relabelled,
        strings.odd_fibonacci,
        strings.string_questions,
    ),
}


#: Experiments over a file; their datasets exist once `register` is told which.
CORPORA: Mapping[str, tuple[Callable[[], Experiment], ...]] = {
    "names": (names.names,),
    "synopses": (synopses.synopses,),
    "text": (text.text, text.text_bytes, text.text_subwords),
}

_registered: dict[str, str] = {}


def variants(name: str, path: str = "") -> dict[str, Task]:
    """The tasks of a dataset by the names of their configs; a corpus is read from `path`.

    Raises:
      ValueError: for a name that is no dataset, or a path for one that reads no file.
    """
    if name in DATASETS and not path:
        found = {experiment.__name__: experiment().task for experiment in DATASETS[name]}
        return found | (_questions_on_strings() if name == "strings" else {})
    return {e.__name__: _in_rows(dataclasses.replace(e().task, path=path)) for e in _of_corpus(name)}


def _of_corpus(name: str) -> tuple[Callable[[], Experiment], ...]:
    """The experiments over the file of a corpus. Raises ValueError for a name that is none."""
    if name not in CORPORA:
        known, others = ", ".join(CORPORA), ", ".join(DATASETS)
        raise ValueError(f"no corpus is called {name!r}; known: {known}; without a file: {others}")
    return CORPORA[name]


def _questions_on_strings() -> dict[str, Task]:
    """A task for every rule that asks, by the rule's name."""
    rules = {name: strings.Rule.named(name) for name in strings.Rule.names()}
    return {name: strings.Strings(rule=rule()) for name, rule in rules.items() if rule.asks}


@dataclasses.dataclass(frozen=True)
class _TextRows(text.Text):
    """A text whose examples are blocks of its splits, in order: no row of a million characters."""

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Pieces of about `block_characters`, cut at line ends where these are near; all of the split."""
        cut = Documents("blocks", least=self.block_characters, longest=2 * self.block_characters)
        for example in super().examples(split, seed):
            for block in cut.cut([example.target]):
                yield Example(prompt="", target=block, key=block)


def _in_rows(task: Task) -> Task:
    """The task, with rows of a length that can be read."""
    return _TextRows(**vars(task)) if isinstance(task, text.Text) else task


def register(**paths: str) -> None:
    """Make the datasets known to tensorflow-datasets; calling again adds what is new.

    Args:
      paths: the file of each corpus, by the name of its dataset: `text="poem.txt"`.

    Raises:
      ValueError: for a name that is no corpus, before any is registered, or another file for one that is.
    """
    from jaxgpt.runs.builder import task_builder

    for name in paths:
        _of_corpus(name)
    for name, path in ({name: "" for name in DATASETS} | paths).items():
        if name not in _registered:
            # A corpus is written whole.
            options = {} if name in DATASETS else {"train_examples": 2**31, "held_out_examples": 2**31}
            task_builder(name, variants(name, path), **options)
            _registered[name] = path
        elif _registered[name] != path:
            raise ValueError(f"dataset {name!r} is registered with {_registered[name]!r}, not {path!r}")
