"""Write tokenizers.md, a table of what each tokenizer makes of a few numbers: `python docs/tokenizers.py`.

`--check` writes nothing and fails if the committed file differs.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

NUMBERS = ("1234567", "-17", "3.14", " 65", "007")
#: The short names to show where the name alone does not go, or is not all there is to see.
SHOWN = {
    "base": ("base:1000", "base:16"),
    "bpe": ("bpe:300",),
    "digits": ("digits", "digits:3:right", "digits:3:left"),
    "fixed": ("fixed:8",),
    "p10": ("p10", "p10:7"),
    "subset": ("subset:bpe:300",),
}
#: Their tokens come from a library or a file.
ELSEWHERE = ("huggingface", "lexicon", "sentencepiece")
#: Tokenizers that learn do so from this.
TEXTS = [" ".join(map(str, range(300))), *NUMBERS]

ABOVE = """# How each tokenizer cuts numbers

<!-- Written by docs/tokenizers.py; change the code and run it again. -->

A short name is a value of `--tokenizer`; [the options](options.md#tokenizers) have the arguments. Tokens
are shown with spaces between them, and `␣` is a space of the text. An empty cell means that the tokenizer
cannot represent this number. It is refused, never rounded, and the error names a tokenizer that can.
"""
BELOW = """
`bpe` and `whole` learned from the numbers 0 to 299 and those of the table. `sentencepiece:SIZE` and a
folder with a Hugging Face tokenizer are not in the table: their tokens come from a library or a file.
Nor is `lexicon:SIZE`, which has one token a frequent word and reads digits one by one.

Text between numbers is read by another tokenizer. This is `characters`, unless the last argument names
another, as in `10e:64:bpe:512`.

`base`, `p10`, `p1000`, `b1999` and `fp15` have signs. In them a `-` before a digit is a sign at the start
of the text, and behind anything but a letter, a digit, `_` and closing brackets. Elsewhere, as in `5-3`, it
is text. A model may write symbols that are not a number; they decode to their names and U+FFFD.
"""


def page() -> str:
    """The page."""
    from jaxgpt.core import tables
    from jaxgpt.tokenizers.tokenizer import Tokenizer

    header = ["", *(f"`{number}`" for number in NUMBERS)]
    rows = []
    for name in Tokenizer.names():
        if name not in ELSEWHERE:
            rows += [_cells(spec) for spec in SHOWN.get(name, (name,))]
    table = "\n".join(tables.grid(header, rows))
    return f"{ABOVE}\n{table}\n{BELOW}"


def _cells(spec: str) -> list[str]:
    from jaxgpt.tokenizers import build
    from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

    tokenizer = build(spec, lambda: TEXTS)
    texts = tokenizer.token_texts()
    cells = [f"`{spec}`"]
    for number in NUMBERS:
        try:
            tokens = " ".join(texts[i].replace(" ", "␣") for i in tokenizer.encode(number))
        except OutsideAlphabet:
            tokens = ""
        cells.append(f"`{tokens}`" if tokens else "")
    return cells


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` compare it."""
    sys.path[0] = str(FOLDER.parent)  # not this folder: a library is called as this file is
    path, written = FOLDER / "tokenizers.md", page()
    if "--check" not in arguments:
        path.write_text(written, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != written:
        print("not up to date: tokenizers.md; run python docs/tokenizers.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
