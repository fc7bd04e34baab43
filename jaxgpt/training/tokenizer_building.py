"""The tokenizer of an experiment, learned from its training text where it has to be."""

import contextlib
from collections.abc import Iterator, Sequence

from jaxgpt import tokenizers
from jaxgpt.core import trust
from jaxgpt.data.corpus import open_corpus
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import CorpusTexts, Tokenizer
from jaxgpt.training.experiment import Experiment

#: Examples of a generated task that a tokenizer learns from, at most; of a finite one it reads all, since
#: a character of the last document must be in the alphabet, too.
TOKENIZER_EXAMPLES = 20_000


def build_tokenizer(experiment: Experiment, examples: Sequence[Example]) -> Tokenizer:
    """The experiment's tokenizer, trained on training text where it has to be; of tokens in files, theirs.

    The alphabet of a tokenizer of characters is that of the whole corpus, where the task is finite.

    Raises:
      ValueError: as `tokenizers.build`; if the experiment names another one than that of its files.
    """
    return tokenizer_and_unseen(experiment, examples)[0]


def tokenizer_and_unseen(experiment: Experiment, examples: Sequence[Example]) -> tuple[Tokenizer, list[str]]:
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


def unseen_again(experiment: Experiment, examples: Sequence[Example], tokenizer: Tokenizer) -> list[str]:
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

    def __init__(self, experiment: Experiment, examples: Sequence[Example]):
        super().__init__(self.train, self._all)
        self._task, self._seed = experiment.task, experiment.training.data_seed
        self._examples = examples[:TOKENIZER_EXAMPLES] if self._task.endless else examples
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
