"""The Children's Book Test: which of ten words was left out (Hill et al. 2016, arXiv 1511.02301).

A question is 20 numbered lines of a story and a 21st with `XXXXX` in place of a word, a tab, the word, two
tabs, and ten candidates between `|`; a blank line stands between questions. As in GPT-2 (Radford et al. 2019,
section 3.2), a candidate's score is the probability of it and of the rest of its sentence behind the story,
and the one with the highest is the answer. GPT-2 has the text de-tokenized; `ptb` does that.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jaxgpt.core.lines import split_lines
from jaxgpt.core.textfile import read_text
from jaxgpt.core.wording import quoted
from jaxgpt.evaluation.zero_shot.continuations import Continuation, Progress, encoded
from jaxgpt.evaluation.zero_shot.items import Reading, item, naming
from jaxgpt.evaluation.zero_shot.measured import Result, share
from jaxgpt.evaluation.zero_shot.ranked import best, log_likelihoods
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer

LINES, CANDIDATES, BLANK = 20, 10, "XXXXX"


class Question(NamedTuple):
    """A question of the test.

    Attributes:
      where: its last line stands in the file.
      story: of 20 lines, joined by spaces.
      query: the sentence with the blank.
      answer: the place of the word among the candidates.
    """

    where: str
    story: str
    query: str
    candidates: tuple[str, ...]
    answer: int


def cbt(
    models: Sequence[Transformer], tokenizer: Tokenizer, path: str, reading: Reading, progress: Progress
) -> Result:
    """How often models find the word that was left out.

    Raises:
      ValueError: for a file that is empty, no text or not of this form, and for a question that is outside of
        the alphabet or whose sentence is longer than the model reads; with its line.
    """
    items, answers = [], []
    for question in questions(path):
        if len(items) == reading.first:
            break
        with naming(path, question.where):
            found = continuations(question, tokenizer, reading)
            items.append(item(question.where, found, models[0].config.max_length))
        answers.append(question.answer)
    scores = log_likelihoods(models, items, progress)
    chosen = [[best(of_item) for of_item in of_model] for of_model in scores]
    right = [[one == answer for one, answer in zip(row, answers, strict=True)] for row in chosen]
    cuts = sum(one.was_cut for one in items)
    examples = tuple(
        {"where": one.where, "answer": answers[i], "log_likelihoods": [list(s[i]) for s in scores]}
        for i, one in enumerate(items)
    )
    counts = {"questions": len(items), "cut": cuts}
    notes = (*reading.notes(tokenizer, cuts), "one of ten at random is 10 %")
    measures = (share("acc", "word found", right),)
    return Result("cbt", measures, counts, {"detokenize": reading.detokenize}, notes, examples)


def continuations(question: Question, tokenizer: Tokenizer, reading: Reading) -> list[Continuation]:
    """Each candidate with the rest of its sentence, behind the story and the words before the blank."""
    detokenize = reading.detokenizer
    before, rest = question.query.split(BLANK)  # a line of the story may hold one, too
    before = f"{question.story} {before}"
    wholes = [detokenize(before + candidate + rest) for candidate in question.candidates]
    context = detokenize(before.rstrip())
    if not all(whole.startswith(context) for whole in wholes):
        # A rule that reaches over the blank, such as one of quotation marks, changed the words before it.
        context = _common(wholes).rpartition(" ")[0]
    return [encoded(tokenizer, context, whole[len(context) :]) for whole in wholes]


def _common(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)  # in the order of their characters, so the others lie between
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def questions(path: str) -> Iterator[Question]:
    """The questions of a file in the test's own format.

    Raises:
      ValueError: as `cbt`.
    """
    story: list[str] = []
    number = 0
    for number, line in enumerate(split_lines(read_text(path)), 1):
        where = f"line {number}"
        if not line.strip():
            with naming(path, where):
                _check_whole(story)
            continue
        with naming(path, where):
            count, _, text = line.partition(" ")
            if count != str(len(story) + 1):
                raise ValueError(
                    f"begins with {quoted(count, 20)} where the number {len(story) + 1} is expected; a "
                    f"question is {LINES} numbered lines and a line {LINES + 1} with {BLANK}"
                )
            if len(story) < LINES:
                if "\t" in line:
                    raise ValueError(f"a tab after {len(story)} lines; the query is line {LINES + 1}")
                story.append(text)
                continue
            question = _question(where, " ".join(story), text)
        yield question
        story = []
    with naming(path, f"line {number}"):
        _check_whole(story)


def _check_whole(story: Sequence[str]) -> None:
    if story:
        raise ValueError(f"the question ends after {len(story)} lines; {LINES} and a query are needed")


def _question(where: str, story: str, line: str) -> Question:
    """The question of a 21st line, without its number."""
    columns = line.split("\t")
    if len(columns) != 4:
        raise ValueError(
            f"{len(columns) - 1} tabs; the query is SENTENCE<tab>ANSWER<tab><tab>ten candidates between |"
        )
    query, answer, _, last = columns
    candidates = tuple(last.strip().split("|"))
    if query.count(BLANK) != 1:
        raise ValueError(f"{BLANK} stands {query.count(BLANK)} times in the query; once is needed")
    if len(candidates) != CANDIDATES:
        raise ValueError(f"{len(candidates)} candidates; {CANDIDATES} between | are needed")
    if answer not in candidates:
        raise ValueError(
            f"the answer {quoted(answer)} is not among the candidates {quoted('|'.join(candidates))}"
        )
    return Question(where, story, query, candidates, candidates.index(answer))
