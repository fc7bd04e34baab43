"""A long text as windows of what a model reads, each token predicted once.

The windows are those of lm-evaluation-harness (`get_rolling_token_windows`), where the stride is what the
model reads, and those of the sliding window of transformers' guide on perplexity for a smaller one.
"""

from collections.abc import Sequence

from jaxgpt.evaluation.zero_shot.continuations import Continuation


def windows(ids: Sequence[int], first: int, *, max_length: int, stride: int) -> list[Continuation]:
    """The windows of a text: the first predicts `max_length` tokens, each other the next `stride`.

    Every window but the first reads `max_length` tokens, the last one as well, so that a smaller stride
    gives each token more context, and takes longer.

    Args:
      first: the id that the text's first token is predicted from.

    Raises:
      ValueError: for a stride that is not between 1 and `max_length`.
    """
    if not 1 <= stride <= max_length:
        raise ValueError(f"stride={stride}: tokens from 1 to the {max_length} that the model reads")
    whole = (first, *ids)
    found, end = [], 0
    while end < len(ids):
        begin, end = end, min(len(ids), end + (stride if end else max_length))
        # The token at place i of the text is whole[i + 1], predicted from those before it.
        found.append(Continuation(whole[max(0, end - max_length) : begin + 1], whole[begin + 1 : end + 1]))
    return found
