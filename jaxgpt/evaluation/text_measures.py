"""What is measured where a task writes text: likelihood, a baseline, and samples."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxgpt import generation
from jaxgpt.evaluation import tally
from jaxgpt.evaluation.evaluation import NotAsked
from jaxgpt.evaluation.likelihood import text_likelihood
from jaxgpt.evaluation.ngram import bits_per_byte
from jaxgpt.evaluation.questions import askable
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.base import Objective
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The most characters of held-out text that are scored, and of training text beside it.
_CHARACTERS = 1_000_000
_BASELINE_ORDER = 5


def sample_prompts(model: Transformer, tokenizer: Tokenizer, task: Task, objective: Objective) -> list[str]:
    """What free samples begin with: the task's own prompts, or nothing where the model can be asked none."""
    return [task.prompt(text) for text in askable(model, tokenizer, task, objective)] or [""]


def measure(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    held_out: Sequence[Example],
    training: Sequence[Example],
    *,
    prompts: Sequence[str],
    samples_a_prompt: int,
    sample_tokens: int,
    batch_size: int | None = None,
    progress: Callable[[], Callable[[int, int], None] | None] = lambda: None,
) -> dict[str, Any]:
    """The fields of an `Evaluation` that only text has.

    Held-out documents with a character the tokenizer lacks are left out of the likelihood and counted in
    `text_not_scored`. A tokenizer that changes text has it scored as it reads it, also by the baseline.

    Args:
      progress: gives the callback of each model's samples.
    """
    found: dict[str, Any] = {}
    scored, lost = _encodable(tokenizer, [e.prompt + e.target for e in held_out])
    found["text_not_scored"] = lost
    documents = cut(scored, _CHARACTERS)
    trained = [e.prompt + e.target for e in training]
    if tokenizer.lossy:
        trained = _encodable(tokenizer, trained)[0]
    if documents and trained:
        beside = cut(random.Random(0).sample(trained, len(trained)), sum(map(len, documents)))
        parts = {"held_out": documents, "train": _encodable(tokenizer, beside)[0]}
        found["likelihood"] = {
            name: text_likelihood(models, tokenizer, texts) for name, texts in parts.items() if texts
        }
        found["baseline_bits_per_byte"] = bits_per_byte(trained, documents, order=_BASELINE_ORDER)
    if not prompts:
        return found

    summaries = []
    for index, model in enumerate(models):
        texts = samples(
            model,
            tokenizer,
            prompts,
            samples_a_prompt=samples_a_prompt,
            tokens=sample_tokens,
            batch_size=batch_size,
            progress=progress(),
        )
        pairs = [(Example(prompt, ""), text) for prompt, text in texts]
        summaries.append(task.summary(pairs, training))
        if index == 0:
            found["samples"] = tuple(prompt + text for prompt, text in texts)
            average = sum(len(text) for _, text in texts) // len(texts)
            real = pieces(scored, average, len(texts))
            if real:
                found["summary_of_real_text"] = task.summary(
                    [(Example("", ""), text) for text in real], training
                )
    return found | {"summary": tally.combine(summaries, task.summary_limit)}


def samples(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    samples_a_prompt: int,
    tokens: int,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[str, str]]:
    """(prompt, continuation) at temperature 1, the same for the same model."""
    options = {} if batch_size is None else {"batch_size": batch_size}
    found = generation.complete(
        model,
        tokenizer,
        list(prompts),
        max_new_tokens=tokens,
        sampling=generation.Sampling(temperature=1.0, num_samples=samples_a_prompt),
        overflow="stop",
        progress=progress,
        **options,
    )
    return [(prompt, text) for prompt, texts in zip(prompts, found, strict=True) for text in texts]


def cut(texts: Iterable[str], characters: int) -> list[str]:
    """The first texts, so many characters together; the last one is cut short."""
    kept = []
    for text in texts:
        if characters <= 0:
            break
        kept.append(text[:characters])
        characters -= len(text)
    return kept


def pieces(texts: Iterable[str], size: int, count: int) -> list[str]:
    """At most `count` pieces of `size` characters, spread evenly over the texts."""
    if size < 1:
        return []
    every = [t[first : first + size] for t in texts for first in range(0, len(t) - size + 1, size)]
    return [every[i * len(every) // count] for i in range(count)] if len(every) > count else every


def _encodable(tokenizer: Tokenizer, texts: Iterable[str]) -> tuple[list[str], tuple[NotAsked, ...]]:
    kept, reasons = [], []
    for text in texts:
        try:
            ids = tokenizer.encode(text)
        except ValueError as error:
            reasons.append(str(error))
        else:
            # What is scored is the text as it is read, and so are its bytes.
            kept.append(tokenizer.decode(ids) if tokenizer.lossy else text)
    lost = (NotAsked("held-out text", len(reasons), reasons[0], True),) if reasons else ()
    return kept, lost
