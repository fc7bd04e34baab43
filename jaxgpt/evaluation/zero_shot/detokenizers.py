r"""De-tokenizers: published test texts as people write, before a model reads them.

GPT-2 (Radford et al. 2019, section 3.1) undoes what pre-processing left in WikiText, PTB and the One Billion
Words, such as ` ,` and ` @-@ `, with de-tokenizers that it does not publish, and gains 2.5 to 5 perplexity.
Words and bytes are counted in the file as it stands. No two files that people have are likely to become one
text, but none of these is strictly invertible: an undone mark may have stood in the text.
"""

import re
from collections.abc import Callable

Rules = tuple[tuple[str, str], ...]

#: As lm-evaluation-harness 0.4.13 has them in its task `wikitext`, one after the other.
_WIKITEXT: Rules = (
    ("s '", "s'"),
    (r"/' [0-9]/", r"/'[0-9]/"),
    (" @-@ ", "-"),
    (" @,@ ", ","),
    (r" @\.@ ", "."),
    (" : ", ": "),
    (" ; ", "; "),
    (r" \. ", ". "),
    (" ! ", "! "),
    (r" \? ", "? "),
    (" , ", ", "),
    (r"\(\s*([^\)]*?)\s*\)", r"(\1)"),
    (r"\[\s*([^\]]*?)\s*\]", r"[\1]"),
    (r"{\s*([^}]*?)\s*}", r"{\1}"),
    (r"\"\s*([^\"]*?)\s*\"", r'"\1"'),
    (r"'\s*([^']*?)\s*'", r"'\1'"),
    ("= = = =", "===="),
    ("= = =", "==="),
    ("= =", "=="),
    (" \u00b0 ", "\u00b0"),
    (" \n", "\n"),
    ("\n ", "\n"),
    (" N ", " 1 "),
    (" 's", "'s"),
)
#: Marks that stand behind a word, or before one.
_MARKS: Rules = (
    (r" ([.,;:!?%\u2026])(?=[\s\"')\]}]|$)", r"\1"),
    (r"([(\[{$\u00a3#]) (?=\S)", r"\1"),
    (r"(?<=\S) ([)\]}])", r"\1"),
)
#: The Penn Treebank's own conventions, which the Children's Book Test has as well.
_PTB: Rules = (
    ("-LRB-", "("),
    ("-RRB-", ")"),
    ("-LSB-", "["),
    ("-RSB-", "]"),
    ("-LCB-", "{"),
    ("-RCB-", "}"),
    (r"`` ?", '"'),
    (r" ?''", '"'),
    (r"` ", "'"),
    (r" n't\b", "n't"),
    (r" '(s|S|m|d|ll|re|ve|LL|RE|VE)\b", r"'\1"),
    *_MARKS,
    (" \n", "\n"),
    ("\n ", "\n"),
)
#: The One Billion Words: marks and apostrophes apart, quotation marks as `" word "`.
_LM1B: Rules = (
    (r"\b(https?) : / / ", r"\1://"),
    (r" '(\w+)", r"'\1"),
    (r'" ([^"\n]+) "', r'"\1"'),
    *_MARKS,
    (" / ", "/"),
)
_RULES: dict[str, Rules] = {"none": (), "wikitext": _WIKITEXT, "ptb": _PTB, "lm1b": _LM1B}
NAMES = tuple(_RULES)


def named(name: str) -> Callable[[str], str]:
    """The de-tokenizer of a name, one of `NAMES`.

    Raises:
      ValueError: for another name.
    """
    if name not in _RULES:
        raise ValueError(f"detokenize={name}: known: {', '.join(NAMES)}")
    rules = [(re.compile(pattern), new) for pattern, new in _RULES[name]]

    def detokenize(text: str) -> str:
        for pattern, new in rules:
            text = pattern.sub(new, text)
        return text

    return detokenize
