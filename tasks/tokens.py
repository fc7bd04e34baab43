"""Tokens: a language model on more text than memory holds, which `jaxgpt tokenize` has made tokens of.

Files of text

    The tide comes in, the tide goes out,
    and nobody knows why.

have become a directory of tokens, each document with its end token behind it. Training reads windows of
them, shuffled, wherever they lie; a held-out document is asked
`The tide comes in, the tide goes out,\\nand nobody knows` with the target ` why`.

    jaxgpt tokenize texts/ --output tokens --tokenizer bpe:8192
    python train.py tokens --task.path tokens
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from jaxgpt.data.corpus import Corpus, open_corpus
from jaxgpt.evaluation.variety import variety, variety_limit
from jaxgpt.task import Example, Split, Task, shuffled
from jaxgpt.training.experiment import Experiment
from tasks.corpus import last_word_score, last_words
from tasks.text import text

#: What `--list` groups the experiments under.
HEADING = "files of your own"

#: Tokens of a split that its examples have together, about.
EXCERPTS = 1_000_000


@dataclasses.dataclass(frozen=True)
class Tokens(Task):
    """A directory of tokens made by `jaxgpt tokenize`; asked for last words.

    Its tokenizer is the directory's, and so is what was held out. All of the training tokens are trained on;
    its examples are documents from all over a split, about `EXCERPTS` tokens together, which is what
    evaluations look at.
    """

    held_out: Annotated[float | None, "as the text was tokenized; cannot be set"] = None
    path: Annotated[str, "directory made by jaxgpt tokenize"] = ""
    question_characters: Annotated[int, "characters shown before a last word that is asked; 0: all"] = 400

    layout = "stream"
    endless = False
    split_fields = ()
    file_fields = ("path", "hold_out")
    sample_prompts: ClassVar[tuple[str, ...]] = ("\n",)

    def __post_init__(self):
        if self.held_out is not None:
            raise ValueError(
                f"held_out={self.held_out} was decided by jaxgpt tokenize --held-out; leave it out"
            )
        if self.hold_out:
            raise ValueError("hold_out is for questions, and this task is a text; take them out of its files")
        if self.question_characters < 0:
            raise ValueError(f"question_characters={self.question_characters} must not be negative")

    def token_files(self) -> Path:
        return self._corpus().path

    def pinned(self) -> "Tokens":
        return dataclasses.replace(self, fingerprint=self._corpus().fingerprint)

    def _corpus(self) -> Corpus:
        if not self.path:
            raise ValueError(
                "task.path is not set: name a directory made by jaxgpt tokenize with --task.path"
            )
        found = open_corpus(self.path)
        if self.fingerprint not in ("", found.fingerprint):
            raise ValueError(
                f"{self.path} holds other tokens than the run was begun on ({found.fingerprint[:12]}, not "
                f"{self.fingerprint[:12]}); name those with --task.path, or evaluate on others with "
                "--other-files"
            )
        return found

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Documents from all over a split."""
        for document, _ in self._documents(split):
            yield Example(prompt="", target=document, key=document)

    def _documents(self, split: Split) -> Iterator[tuple[str, bool]]:
        """Documents from all over a split, and whether each goes on behind what is here."""
        corpus = self._corpus()
        for ids, cut in corpus.excerpts(split, EXCERPTS):
            document = corpus.tokenizer.decode(ids.tolist())
            if document:
                yield document, cut

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The last word of every paragraph, after what stands before it in the same document; shuffled."""
        return shuffled(self._last_words(split, seed), seed)

    def _last_words(self, split: Split, seed: int) -> Iterator[Example]:
        for document, cut in self._documents(split):
            # A paragraph that goes on has no last word here.
            whole = document.rpartition("\n\n")[0] if cut else document
            for prompt, word, _ in last_words(whole, self.question_characters):
                yield Example(prompt, word, group="last word", key=document)

    def split_of(self, example: Example) -> Split:
        return Task(held_out=self._corpus().held_out).split_of(example)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        return {"exact_match": last_word_score(example.target, completion)}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        """Distinct n-grams, and the longest copy from the training documents that are its examples."""
        return variety([completion for _, completion in samples], [e.target for e in training])

    def summary_limit(self, name: str) -> float:
        return variety_limit(name)


def tokens() -> Experiment:
    """nanoGPT's recipe on a directory of tokens, which may be larger than memory.

    Needs a directory that `jaxgpt tokenize` made: --task.path.

    Takes 2 min on two CPU cores.
    """
    return dataclasses.replace(text(), task=Tokens(question_characters=44), tokenizer="")
