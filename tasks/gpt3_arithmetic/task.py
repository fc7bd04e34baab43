"""The task of the ten: what is asked, how it is split, how it is scored."""

import dataclasses
import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from jaxgpt.evaluation.few_shot import FewShot
from jaxgpt.task import Diagnosis, Example, Split
from jaxgpt.task.searching import Search
from tasks.arithmetic.diagnosis import WRONG_KINDS, diagnose
from tasks.arithmetic.notation import Question
from tasks.gpt3_arithmetic.formats import Format, Plain, Worked
from tasks.gpt3_arithmetic.problems import KINDS, Kind, Problem, read_problem

Name = Literal[
    "arithmetic_1dc",
    "arithmetic_2da",
    "arithmetic_2ds",
    "arithmetic_2dm",
    "arithmetic_3da",
    "arithmetic_3ds",
    "arithmetic_4da",
    "arithmetic_4ds",
    "arithmetic_5da",
    "arithmetic_5ds",
]
_FORMATS: dict[str, Format] = {"plain": Plain(), "worked": Worked()}
#: Shown while training: the paper's own problems where it gives one in this form.
_SAMPLES = {
    "arithmetic_1dc": "(9 + 8) * 2",
    "arithmetic_2da": "48 plus 76",
    "arithmetic_2ds": "34 minus 53",
    "arithmetic_2dm": "24 times 42",
    "arithmetic_3da": "271 plus 828",
    "arithmetic_3ds": "271 minus 828",
    "arithmetic_4da": "2718 plus 2818",
    "arithmetic_4ds": "2718 minus 2818",
    "arithmetic_5da": "27182 plus 81828",
    "arithmetic_5ds": "27182 minus 81828",
}
#: Up to so many problems, `questions` lists them all.
_ENUMERABLE = 10_000


@dataclasses.dataclass(frozen=True)
class Gpt3Arithmetic(FewShot):
    """The ten arithmetic tasks of Brown et al. 2020 (arXiv 2005.14165, section 3.9.1).

    Each of the ten is drawn equally often, then its numbers, uniformly. A problem, with the first two numbers
    in either order, belongs to one split whichever of the ten asks it: 48 plus 76 is of 2 and of 5 digits.
    """

    wrong_kinds = WRONG_KINDS

    subtasks: Annotated[tuple[Name, ...], "which of the ten are asked"] = tuple(KINDS)
    format: Annotated[Literal["plain", "worked"], "the answer alone, or worked out as on paper"] = "plain"

    def __post_init__(self):
        super().__post_init__()
        if not self.subtasks:
            raise ValueError(f"subtasks= is empty; name some of {', '.join(KINDS)}")
        repeated = next((name for name in self.subtasks if self.subtasks.count(name) > 1), None)
        if repeated is not None:
            raise ValueError(f"subtasks names {repeated} twice; name it once")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        wanted = ("arithmetic_2da", "arithmetic_2dm", "arithmetic_1dc")
        return tuple(_SAMPLES[name] for name in wanted if name in self.subtasks) or tuple(
            _SAMPLES[name] for name in self.subtasks[:3]
        )

    def example(self, rng: random.Random) -> Example:
        return self._draw(rng.choice(self.subtasks), rng)

    def forms(self) -> Iterable[str] | None:
        kinds = [KINDS[name] for name in self.subtasks]
        if any(kind.size > _ENUMERABLE for kind in kinds):
            return None
        return (problem.key for kind in kinds for problem in kind.all())

    def shot(self, rng: random.Random, question: Example) -> Example:
        return self._draw(question.group or rng.choice(self.subtasks), rng)

    def typed(self, text: str) -> Example:
        """The question, of the first of the ten that has it; of none if its numbers are larger."""
        problem = read_problem(text)
        name = next((name for name in self.subtasks if KINDS[name].has(problem)), "")
        return Example(_prompt(problem), "", name, problem.key)

    def zero_shot_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The ten in turn, no question twice, until one of them has no more: each is asked as often."""
        listed = [self._questions(name, split, seed) for name in self.subtasks]
        asked: set[str] = set()
        search = Search(f"{split} questions not asked before", "ask fewer")
        for questions in itertools.cycle(listed):
            question = next(search.those(questions, lambda question: question.prompt not in asked), None)
            if question is None:
                return
            asked.add(question.prompt)
            yield question

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: the answer in ordinary notation is right, whatever was worked out before."""
        try:
            right = self._read(completion) == self._read(example.target)
        except ValueError:
            right = False
        return {"exact_match": float(right)}

    def answer(self, prompt: str, completion: str) -> str:
        try:
            return self._read(completion)
        except ValueError:
            return completion

    def diagnose(self, example: Example, completion: str) -> Diagnosis | None:
        """Right digits, carries and the kind of error; None for three numbers, which two operations join."""
        problem = read_problem(example.key)
        if len(problem.numbers) > 2:
            return None
        try:
            answer = self._read(completion)
        except ValueError:
            answer = ""
        question, target = Question(problem.operations, problem.numbers), self._read(example.target)
        return diagnose(question, target, answer, right=answer == target)

    def _read(self, completion: str) -> str:
        return _FORMATS[self.format].read(completion)

    def _draw(self, name: str, rng: random.Random) -> Example:
        return self._example(name, KINDS[name].draw(rng))

    def _example(self, name: str, problem: Problem) -> Example:
        return Example(_prompt(problem), _FORMATS[self.format].render(problem), name, problem.key)

    def _questions(self, name: str, split: Split, seed: int) -> Iterator[Example]:
        """The questions of one of the ten."""
        kind: Kind = KINDS[name]
        if kind.size > _ENUMERABLE:
            yield from dataclasses.replace(self, subtasks=(name,)).zero_shot_examples(split, seed)
            return
        listed = [self._example(name, problem) for problem in kind.all()]
        listed = [example for example in listed if self.split_of(example) == split]
        random.Random(seed).shuffle(listed)
        yield from listed


def _prompt(problem: Problem) -> str:
    return f"Question: What is {problem.text}?\nAnswer:"
