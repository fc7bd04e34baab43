"""A small task for the tests of this folder."""

import dataclasses
import random

from jaxgpt.task import Example, Task


@dataclasses.dataclass(frozen=True)
class Doubles(Task):
    """`17=` -> `34`; grouped by the number of digits, with a heading for even and odd."""

    limit: int = 1000
    extra: bool = True

    def example(self, rng: random.Random) -> Example:
        return self.of(rng.randrange(self.limit))

    def of(self, number: int) -> Example:
        return Example(f"{number}=", str(2 * number), f"{len(str(number))} digits")

    def extra_questions(self, split, seed=0):
        return (self.of(10**6 + i) for i in range(2**62)) if self.extra else iter(())

    def score(self, example, completion):
        return {"exact_match": float(completion == example.target), "length": float(len(completion))}

    def headings(self, example):
        return ("odd" if int(example.prompt[:-1]) % 2 else "even",)

    def answer(self, prompt, completion):
        return f"two times {prompt[:-1]} is {completion}"

    def summary(self, samples, training):
        return {"pairs": float(len(samples)), "trained": float(len(training))}
