"""A file of one of the tests, scored: last words, words left out, perplexity, choices."""

from collections.abc import Callable, Sequence

from jaxgpt.evaluation.zero_shot.cbt import cbt
from jaxgpt.evaluation.zero_shot.choices import choices
from jaxgpt.evaluation.zero_shot.continuations import Progress, check
from jaxgpt.evaluation.zero_shot.items import Reading
from jaxgpt.evaluation.zero_shot.lambada import lambada
from jaxgpt.evaluation.zero_shot.measured import Result
from jaxgpt.evaluation.zero_shot.perplexity import perplexity
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer

Test = Callable[[Sequence[Transformer], Tokenizer, str, Reading, Progress], Result]

#: The tests by name.
TESTS: dict[str, Test] = {"lambada": lambada, "cbt": cbt, "perplexity": perplexity, "choices": choices}


def score_file(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    test: str,
    path: str,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    *,
    progress: Progress = lambda done, total: None,
) -> Result:
    """What decoders get in a test.

    Args:
      models: of one configuration, one a seed.
      test: lambada, cbt, perplexity or choices.
      path: the test's file; its form is told where the test is (`jaxgpt.evaluation.zero_shot`).

    Raises:
      ValueError: for models that are no decoders, an unknown test, or a file that is not of its form; one
        line, with the file's line.
    """
    if test not in TESTS:
        raise ValueError(f"test={test}: known: {', '.join(TESTS)}")
    check(models[0])
    return TESTS[test](models, tokenizer, path, reading, progress)
