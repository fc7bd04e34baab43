"""Questions with choices: which text goes on with a context, as in lm-evaluation-harness's multiple choice.

JSON objects, one a line: `{"context": "The sky is", "choices": ["blue", "loud"], "answer": 0}`; the answer is
the place of a choice, from 0, or its text. Between context and choice stands one space, unless one of them
has white space there or there is no context. The score of a choice is its log-likelihood (`acc`), that a
character (`acc_norm`), or that a byte (`acc_bytes`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxgpt.core.json_objects import read_objects
from jaxgpt.core.textfile import read_text
from jaxgpt.core.wording import quoted, shown
from jaxgpt.evaluation.zero_shot.continuations import Progress, encoded
from jaxgpt.evaluation.zero_shot.items import Reading, item, naming
from jaxgpt.evaluation.zero_shot.measured import Result, share
from jaxgpt.evaluation.zero_shot.ranked import best, log_likelihoods
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer


class Question(NamedTuple):
    """A question.

    Attributes:
      answer: the place of the right choice.
    """

    context: str
    choices: tuple[str, ...]
    answer: int


def choices(
    models: Sequence[Transformer], tokenizer: Tokenizer, path: str, reading: Reading, progress: Progress
) -> Result:
    """How often models give the right choice the highest probability.

    Raises:
      ValueError: for a file that is empty or no JSON, a question that is not of this form or outside of the
        alphabet, and a choice that is longer than the model reads; with its line.
    """
    items, asked = [], []
    for where, row in read_objects(read_text(path), path):
        if len(items) == reading.first:
            break
        with naming(path, where):
            one = question(row)
            pairs = [encoded(tokenizer, *joined(one.context, choice)) for choice in one.choices]
            items.append(item(where, pairs, models[0].config.max_length))
        asked.append(one)
    scores = log_likelihoods(models, items, progress)
    ways = {
        "acc": ("right, by the sum of log-likelihoods", lambda choice: 1),
        "acc_norm": ("right, a character", len),
        "acc_bytes": ("right, a byte", lambda choice: len(choice.encode())),
    }
    measures = []
    for key, (label, size) in ways.items():
        right = [
            [best(s, [*map(size, q.choices)]) == q.answer for s, q in zip(row, asked, strict=True)]
            for row in scores
        ]
        measures.append(share(key, label, right))
    cuts = sum(one.was_cut for one in items)
    examples = tuple(
        {"where": one.where, "answer": asked[i].answer, "log_likelihoods": [list(s[i]) for s in scores]}
        for i, one in enumerate(items)
    )
    counts = {"questions": len(items), "choices": sum(len(q.choices) for q in asked), "cut": cuts}
    return Result("choices", tuple(measures), counts, {}, reading.notes(tokenizer, cuts), examples)


def joined(context: str, choice: str) -> tuple[str, str]:
    """A context and a choice with the space between them in front of the choice."""
    apart = not context or context[-1].isspace() or choice[0].isspace()
    return context, choice if apart else f" {choice}"


def question(row: dict[str, Any]) -> Question:
    """The question in a JSON object.

    Raises:
      ValueError: for a key that is not there, or a value that does not fit it.
    """
    for key in ("context", "choices", "answer"):
        if key not in row:
            raise ValueError(f"no key {key!r}; it has {quoted(', '.join(row)) if row else 'none'}")
    context, texts, answer = row["context"], row["choices"], row["answer"]
    if not isinstance(context, str):
        raise ValueError(f"'context' is {shown(context)}; a text is needed")
    if not isinstance(texts, list) or len(texts) < 2 or not all(isinstance(t, str) and t for t in texts):
        raise ValueError(f"'choices' is {shown(texts)}; a list of two texts or more is needed, none empty")
    if isinstance(answer, str):
        if answer not in texts:
            raise ValueError(f"the answer {quoted(answer)} is not among the choices {shown(texts)}")
        answer = texts.index(answer)
    if type(answer) is not int or not 0 <= answer < len(texts):
        raise ValueError(f"'answer' is {shown(answer)}; a choice, or its place from 0 to {len(texts) - 1}")
    return Question(context, tuple(texts), answer)
