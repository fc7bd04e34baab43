r"""Translation: a file of sentences with their translations, such as tatoeba.org's.

A line is `source<TAB>target`; a third column, such as who wrote them, is not read:

    Go.<TAB>Va !<TAB>CC-BY 2.0 (France) Attribution: tatoeba.org
    Go.<TAB>Marche.<TAB>CC-BY 2.0 (France) Attribution: tatoeba.org

The model is asked `go.`, and `va !` and `marche.` are both right. With `joined=3` it also learns,
and is asked, up to three pairs one behind another:

    go. i see. who won?   ->   va ! je vois. qui a gagné ?

    python train.py translation --task.path eng-fra.tsv
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

from jaxgpt.evaluation.translation_scores import bleu, check_installed, chrf
from jaxgpt.models.presets.translators import small_rnn_search
from jaxgpt.runs.experiments import Compared
from jaxgpt.task import SPLITS, Example, Split, Task, shuffled
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import check_path, place_in
from tasks.corpus.translations import Sentence, joined, plain, read_translations, thirds, words

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Translation(Task):
    """Sentences with their translations, scored by BLEU and chrF, over all and by the length of the source.

    Several translations of one source are all learned, and all right. The words of a source decide its split:
    sources that differ in marks or capitals alone are together, with all of their translations.
    """

    path: Annotated[str, "file of lines source<TAB>target; a third column is not read"] = ""
    letters: Annotated[Literal["lowered", "kept"], "lowered: no capitals are read and written"] = "lowered"
    joined: Annotated[int, "examples are up to so many pairs, one behind another"] = 1

    endless: ClassVar[bool] = False
    file_fields = ("path", "hold_out")

    def __post_init__(self):
        if self.joined < 1:
            raise ValueError(f"joined={self.joined} must be at least 1")

    def place_of(self, example: Example) -> str:
        return place_in([self.path], example.canonical)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Every translation of every source of a split.

        Raises:
          ValueError: if the file is missing or malformed, no source is left for the split, or sacrebleu is
            not installed, which the answers are scored with.
        """
        check_installed()
        found = self._known.examples[split]
        if not found:
            change = "lower" if split == "train" else "raise"
            raise ValueError(
                f"{self.path} has no source for {split} with task.held_out={self.held_out}; "
                f"{change} that, or add lines"
            )
        yield from found

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Each source once, however many translations it has."""
        once: dict[str, Example] = {}
        for example in self.examples(split, seed):
            once.setdefault(example.prompt, example)
        return shuffled(once.values(), seed)

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(example.prompt for example in self.examples("validation")))[:2]

    def typed(self, text: str) -> Example:
        prompt = self._plain(text)
        return Example(prompt, "", key=_key(prompt))

    def answer(self, prompt: str, completion: str) -> str:
        return self._plain(completion)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Whether a completion is one of the translations."""
        return {"exact_match": float(self._sentence(example).is_translation(self._plain(completion)))}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        """BLEU and chrF, from 0 to 100, over all samples and over those of each group."""
        groups: dict[str, list[tuple[Example, str]]] = {"": samples}
        for example, text in sorted(samples, key=lambda sample: _least(sample[0].group)):
            groups.setdefault(f", {example.group}", []).append((example, text))
        found = {}
        for name, measure in (("BLEU", bleu), ("chrF", chrf)):
            for group, members in groups.items():
                texts = [self._plain(text) for _, text in members]
                found[name + group] = measure(texts, [self.references(e) for e, _ in members])
        return found

    def summary_limit(self, name: str) -> float:
        return 100.0

    def references(self, example: Example) -> tuple[str, ...]:
        """The right translations of an example of this task."""
        return self._sentence(example).references()

    def _plain(self, text: str) -> str:
        return plain(text, lowered=self.letters == "lowered")

    def _sentence(self, example: Example) -> Sentence:
        """What the file says of an example; of one that it does not have, its own target."""
        asked = Sentence((example.prompt,), ((self._plain(example.target),),))
        return self._known.sentences.get(example.prompt, asked)

    @property
    def _known(self) -> "_Known":
        check_path(self.path)
        # Asked for every answer.
        return _read(self, tuple(self.stamp(field) for field in self.file_fields if getattr(self, field)))


class _Known(NamedTuple):
    """What a file says.

    Attributes:
      examples: of each split.
      sentences: by their sources.
    """

    examples: dict[Split, list[Example]]
    sentences: dict[str, Sentence]


@functools.lru_cache(maxsize=4)
def _read(task: Translation, stamps: tuple[tuple[int, int], ...]) -> _Known:
    """The examples of a task; `stamps` tell changed files from those that were read."""
    splits: dict[Split, list[Sentence]] = {split: [] for split in SPLITS}
    for sentence in read_translations(task.path, lowered=task.letters == "lowered"):
        splits[task.split_of(Example(sentence.source, "", key=_key(sentence.source)))].append(sentence)
    alone = {_key(one.source) for sentences in splits.values() for one in sentences}
    held = {"train": task.kept_out, "validation": task.kept_out, "test": frozenset()}
    splits = {
        split: _apart(joined(sentences, task.joined), alone, held[split])
        for split, sentences in splits.items()
    }
    lengths = [len(words(one.source)) for sentences in splits.values() for one in sentences]
    names = {n: _named(*third) for third in thirds(lengths) for n in range(third[0], third[1] + 1)}
    examples = {
        split: [
            Example(one.source, target, names[len(words(one.source))], key=_key(one.sources[0]))
            for one in sentences
            for target in one.references()
        ]
        for split, sentences in splits.items()
    }
    return _Known(examples, {one.source: one for sentences in splits.values() for one in sentences})


def _apart(sentences: Sequence[Sentence], taken: set[str], held: frozenset[str]) -> list[Sentence]:
    """Without the joined ones whose words are those of another; `taken` grows by those that stay.

    Another may be of another split, or has translations of its own.

    Args:
      held: words of questions that this split may not have.
    """
    found = []
    for one in sentences:
        if len(one.sources) > 1:
            key = _key(one.source)
            if key in taken or key in held:
                continue
            taken.add(key)
        found.append(one)
    return found


def _key(source: str) -> str:
    """What decides the split of a source; that of one without a word is itself."""
    return " ".join(words(source.lower())) or source


def _named(least: int, most: int) -> str:
    return f"{least}-{most} words" if least < most else f"{least} word{'s' * (least != 1)}"


def _least(group: str) -> int:
    """The number that the name of a group begins with."""
    return int(group.split("-")[0].split()[0]) if group else 0


def translation() -> Experiment:
    """A small recurrent model with attention that translates sentences of your own file.

    Needs a file of lines source<TAB>target: --task.path.

    Takes 1 min on two CPU cores.
    """
    return Experiment(
        task=Translation(),
        # Nearest to whole words, yet no word is unknown. With 512, 1,024 and 2,048 tokens 1,600 steps on
        # 5,000 English-French pairs (joined=2, one seed) gave a BLEU of 15.8, 18.4 and 20.9.
        tokenizer="bpe:2048",
        model=small_rnn_search(),
        optimizer=AdamW(learning_rate=5e-3, schedule="cosine", warmup_steps=100),
        training=TrainingConfig(steps=1600, batch_size=32, eval_every=400),
    )


#: Without attention, with it, and with nothing else; about equal in weights.
COMPARED = {
    "translation": Compared(
        {"model": ("small_rnn_encdec", "small_rnn_search", "small_transformer")}, budgets=("examples",)
    )
}
