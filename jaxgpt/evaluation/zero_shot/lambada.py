"""LAMBADA: the last word of a passage, which its whole text tells (Paperno et al. 2016, arXiv 1606.06031).

A passage a line, as text or as JSON with the key `text`. The word is what stands behind the last white space,
and it is right if each of its tokens is the likeliest in its place, as in lm-evaluation-harness.

GPT-2 (Radford et al. 2019, section 3.3) saw that most wrong words go on with the sentence and do not end it:
with a stop-word filter 52.66 % right became 63.24 %. The paper does not say how the filter works. Here the
first token of the answer is the likeliest of those that are not a stop word on their own (`stop_words`), and
each further token is the likeliest of all; so a word that begins with the token of a stop word cannot be
right. GPT-2's published accuracies count the last token alone; that share is told as well.
"""

from collections.abc import Sequence

import numpy as np

from jaxgpt.core.wording import quoted
from jaxgpt.evaluation.zero_shot.continuations import Progress, encoded, score
from jaxgpt.evaluation.zero_shot.items import Item, Reading, item, naming
from jaxgpt.evaluation.zero_shot.measured import Result, perplexity, share
from jaxgpt.evaluation.zero_shot.stop_words import stop_tokens
from jaxgpt.models.transformer import Transformer
from jaxgpt.task.question_file import read_file, text_of
from jaxgpt.tokenizers.tokenizer import Tokenizer


def lambada(
    models: Sequence[Transformer], tokenizer: Tokenizer, path: str, reading: Reading, progress: Progress
) -> Result:
    """How often, and how well, models predict the last words of a file of passages.

    Raises:
      ValueError: for a file that is empty or no text, and for a passage without a last word, without the key
        `text`, outside of the alphabet or with a word that is longer than the model reads; with its line.
    """
    items = read(path, tokenizer, reading, models[0].config.max_length)
    banned = stop_tokens(tokenizer.token_texts())
    found = score(models, [one.continuations[0] for one in items], banned=banned, progress=progress)
    right = [[bool(one.likeliest.all()) for one in of_model] for of_model in found]
    filtered = [[one.allowed and bool(one.likeliest[1:].all()) for one in of_model] for of_model in found]
    last = [[bool(one.likeliest[-1]) for one in of_model] for of_model in found]
    nats = [[-one.log_likelihood for one in of_model] for of_model in found]
    cuts = sum(one.was_cut for one in items)
    measures = [share("acc", "last word right", right)]
    notes = reading.notes(tokenizer, cuts)
    if banned.any():
        measures.append(share("acc_filtered", "last word right, with the stop-word filter", filtered))
    else:
        notes += ("no token of this tokenizer is a whole stop word, so there is no stop-word filter",)
    measures.append(share("acc_last_token", "last token right", last))
    measures.append(perplexity("perplexity", "perplexity a last word", nats, np.ones(len(items))))
    examples = tuple(
        {
            "where": one.where,
            "log_likelihood": [-of_model[i] for of_model in nats],
            "right": [of_model[i] for of_model in right],
            "right_filtered": [of_model[i] for of_model in filtered],
        }
        for i, one in enumerate(items)
    )
    counts = {"passages": len(items), "cut": cuts}
    return Result("lambada", tuple(measures), counts, {"detokenize": reading.detokenize}, notes, examples)


def read(path: str, tokenizer: Tokenizer, reading: Reading, max_length: int) -> list[Item]:
    """The last words of a file behind their passages. Errors as of `lambada`."""
    detokenize, found = reading.detokenizer, []
    for where, row in read_file(path):
        if len(found) == reading.first:
            break
        with naming(path, where):
            if isinstance(row, dict) and "text" not in row:
                raise ValueError(f"no key 'text'; it has {', '.join(row) or 'none'}")
            text = detokenize(row if isinstance(row, str) else text_of(row, "text", "it")).rstrip()
            context, word = split_last(text)
            found.append(item(where, [encoded(tokenizer, context, word)], max_length))
    return found


def split_last(text: str) -> tuple[str, str]:
    """A passage without its last word, and the word with the white space before it.

    Raises:
      ValueError: if there are no two words.
    """
    words = text.rsplit(None, 1)
    if len(words) < 2:
        raise ValueError(f"{quoted(text)} has no last word behind others; write two words or more")
    end = len(text) - len(words[1]) - 1
    return text[:end], text[end:]
