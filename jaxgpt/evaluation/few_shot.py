"""Few-shot prompts: solved examples of the training split before the question.

Brown et al. 2020 (arXiv 2005.14165, section 2) call a prompt zero-shot, one-shot or few-shot by the number of
solved examples that stand before the question. With two shots and a blank line between them:

    Question: What is 3 plus 4?
    Answer: 7

    Question: What is 51 plus 8?
    Answer: 59

    Question: What is 48 plus 76?
    Answer:
"""

import dataclasses
import functools
import random
from collections.abc import Iterator
from typing import Annotated

from jaxgpt.task import Example, Split, Task, shuffled
from jaxgpt.task.searching import Search

#: What stands between two shots, and before the question.
SEPARATOR = "\n\n"
#: So many draws in a row that give no new shot say that there is none.
_PATIENCE = 10_000


@dataclasses.dataclass(frozen=True)
class FewShot(Task):
    """A task whose prompts may begin with solved examples.

    A task derives from this class instead of `Task`. What it would override there as `examples` and
    `questions` it defines here as `zero_shot_examples` and `zero_shot_questions`.

    Shots are different examples of the training split, of the question's group and with another key than
    the question's. Which ones they are follows from `shots_seed` and the question alone, so that a question
    keeps them however many others are asked, in training as in an evaluation.
    """

    shots: Annotated[int, "solved examples before every question, of its group"] = 0
    shots_seed: Annotated[int, "decides, with the question, which examples are shown"] = 0

    def __post_init__(self):
        if self.shots < 0:
            raise ValueError(f"shots={self.shots} must not be negative")

    def zero_shot_examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """`Task.examples` without shots."""
        return super().examples(split, seed)

    def zero_shot_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """`Task.questions` without shots."""
        examples = self.zero_shot_examples(split, seed)
        return examples if self.endless else shuffled(examples, seed)

    def typed(self, text: str) -> Example:
        """The question in what a person types, with its group and key but without its target.

        Raises:
          ValueError: as `Task.prompt`.
        """
        return Example(text, "")

    def shot(self, rng: random.Random, question: Example) -> Example:
        """An example drawn with `rng` for `question`; it is shown if its split, group and key allow it.

        A task that can draw from a group, or that defines no `example`, overrides this.
        """
        return self.example(rng)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        return map(self.with_shots, self.zero_shot_examples(split, seed))

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        return map(self.with_shots, self.zero_shot_questions(split, seed))

    @functools.cached_property
    def _search(self) -> Search:
        """One for all questions, whose searches may be short each and long together."""
        return Search("training examples to show before questions", "lower task.shots, or widen the task")

    def prompt(self, text: str) -> str:
        return self.with_shots(self.typed(text)).prompt

    def with_shots(self, question: Example) -> Example:
        """The question with its shots before it; the split it belongs to stays the same.

        Raises:
          ValueError: if there are too few training examples to show.
        """
        if not self.shots:
            return question
        rng = random.Random(f"{self.shots_seed} {question.prompt}")
        shown: dict[str, Example] = {}
        missed = 0
        while len(shown) < self.shots:
            drawn = self.shot(rng, question)
            usual = not question.group or drawn.group == question.group
            new = drawn.canonical != question.canonical and drawn.canonical not in shown
            if usual and new and self.split_of(drawn) == "train":
                shown[drawn.canonical] = drawn
                missed = 0
                self._search.found()
                continue
            self._search.missed()
            if (missed := missed + 1) > _PATIENCE:
                which = f" of group {question.group!r}" if question.group else ""
                raise ValueError(
                    f"shots={self.shots}: only {len(shown)} training examples{which} were found to show "
                    f"before {question.prompt!r}; lower shots"
                )
        before = "".join(f"{example.prompt}{example.target}{SEPARATOR}" for example in shown.values())
        return dataclasses.replace(question, prompt=before + question.prompt, key=question.canonical)
