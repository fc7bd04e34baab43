"""How a question and its answer are written for the model: one object a format."""

import abc
import re

from tasks.arithmetic.notation import SYMBOLS, Question, place_name, places, read_number


class Format(abc.ABC):
    """A way of writing questions and answers, and of reading the answers back."""

    #: The symbols of the operations it writes; empty: lone numbers.
    symbols: str = "+"
    #: How many operands it writes; None: two or more.
    operands: int | None = 2

    @abc.abstractmethod
    def render(self, question: Question) -> tuple[str, str]:
        """The prompt and the target of a question."""

    @abc.abstractmethod
    def written(self, completion: str) -> str:
        """What a completion has where the answer should stand, the digit of the ones last.

        That is a sign and digits, or anything else; zeros may lead.

        Raises:
          ValueError: if the completion does not have the form of this format.
        """

    def read(self, completion: str) -> int:
        """The number that a completion states.

        Raises:
          ValueError: as `written`, or if what stands there is no number in ordinary notation.
        """
        return read_number(self.written(completion))

    def show(self, completion: str) -> str:
        """A completion as a person reads it.

        Raises:
          ValueError: as `read`.
        """
        return str(self.read(completion))

    def score(self, target: str, completion: str) -> dict[str, float]:
        """Named scores of a completion, `exact_match` among them."""
        return {"exact_match": float(completion == target)}

    def summary(self, scores: list[dict[str, float]]) -> dict[str, float]:
        """Measures of a whole set of scores beyond their means."""
        return {}


class Plain(Format):
    """`9+71421=` -> `71430`."""

    symbols = "".join(SYMBOLS.values())
    operands = None

    def render(self, question: Question) -> tuple[str, str]:
        return question.text + "=", str(question.answer)

    def written(self, completion: str) -> str:
        return completion


class Reversed(Format):
    """`9+71421=` -> `03417`: the digits of the answer least significant first.

    A sign stands in front, `5-17=` -> `-21`: every digit of a difference depends on which operand is the
    larger, so the model decides that first. Lee et al. 2023 (arXiv 2307.03381, section 3) put a `$` on both
    ends, which marks them in their stream of text; here the tokenizer's special tokens mark them.
    """

    symbols = Plain.symbols
    operands = None

    def render(self, question: Question) -> tuple[str, str]:
        answer = question.answer
        sign = "-" if answer < 0 else ""
        return question.text + "=", sign + str(abs(answer))[::-1]

    def written(self, completion: str) -> str:
        digits = completion.removeprefix("-")
        return completion[: len(completion) - len(digits)] + digits[::-1]


class Padded(Format):
    """`653+049=` -> `2070`: operands as long as the longest, the answer least significant digit first.

    The format of position coupling (Cho et al. 2024, arXiv 2405.20671, section 3). The answer is padded to
    the length that any such sum can have: one digit more than the operands, for two to ten of them.
    """

    operands = None

    def render(self, question: Question) -> tuple[str, str]:
        texts = [str(operand) for operand in question.operands]
        length = max(map(len, texts))
        answer = str(question.answer).zfill(length + len(str(len(texts) - 1)))
        return question.symbol.join(text.zfill(length) for text in texts) + "=", answer[::-1]

    def written(self, completion: str) -> str:
        if not re.fullmatch("[0-9]+", completion):
            raise ValueError(f"{completion!r} is not a padded number")
        return completion[::-1]

    def read(self, completion: str) -> int:
        return int(self.written(completion))


class OnesFirst(Format):
    """`356+94=` -> `207`: every number with its least significant digit first.

    The format of Abacus embeddings (McLeish et al. 2024, arXiv 2405.17399, section 3): the k-th digits of all
    numbers have one weight. Coupled positions count the digits of operands from the last, and need another.
    """

    operands = None

    def render(self, question: Question) -> tuple[str, str]:
        texts = (str(operand)[::-1] for operand in question.operands)
        return question.symbol.join(texts) + "=", str(question.answer)[::-1]

    def written(self, completion: str) -> str:
        return completion[::-1]


class Indexed(Format):
    """`42+39=` written `a2b4+a9b3=` -> `a1b8`: a letter in front of each digit tells its place.

    Index hints (Zhou et al. 2024, arXiv 2402.09371) with the digits least significant first, so that the
    ones have the letter a in every number. Their hints start at a random letter; here they start at a, and a
    place that no training example has is written with a letter that none has.
    """

    operands = None

    def render(self, question: Question) -> tuple[str, str]:
        return question.symbol.join(map(_hinted, question.operands)) + "=", _hinted(question.answer)

    def written(self, completion: str) -> str:
        digits = completion[1::2]
        if not re.fullmatch("[0-9]+", digits) or len(digits) > len(HINTS):
            raise ValueError(f"{completion!r} is not a number with index hints")
        if completion[::2] != HINTS[: len(digits)]:
            raise ValueError(f"the index hints of {completion!r} are not a, b, c, ... in turn")
        return digits[::-1]


#: Index hints: a to z, A to Z, and the letters from U+0100 on, one a place.
HINTS = (
    "".join(map(chr, range(ord("a"), ord("z") + 1)))
    + "".join(map(chr, range(ord("A"), ord("Z") + 1)))
    + "".join(map(chr, range(0x100, 0x250)))
)


def _hinted(number: int) -> str:
    digits = str(number)[::-1]
    if len(digits) > len(HINTS):
        raise ValueError(
            f"a number of {len(digits)} digits has more places than the {len(HINTS)} index hints; "
            "use task.format=padded"
        )
    return "".join(map("".join, zip(HINTS, digits, strict=False)))


class Partial(Format):
    """`12*34=` -> `84+063=804`: a product for each digit of the second operand, then their sum.

    All digits stand least significant first, 12*4 = 48 as `84` and 12*30 = 360 as `063`.
    """

    symbols = "*"

    def render(self, question: Question) -> tuple[str, str]:
        first, second = question.operands
        products = [
            "0" * place + str(first * int(digit))[::-1] for place, digit in enumerate(reversed(str(second)))
        ]
        return question.text + "=", "+".join(products) + "=" + str(question.answer)[::-1]

    def written(self, completion: str) -> str:
        match = re.fullmatch(r"[0-9]+(?:\+[0-9]+)*=([0-9]+)", completion)
        if match is None:
            raise ValueError(f"{completion!r} is not products and their sum")
        return match[1][::-1]

    def score(self, target: str, completion: str) -> dict[str, float]:
        return stated(self, target, completion)


class Decomposition(Format):
    """`65` -> `ones->5`, `tens->6`, a line a digit; spaced, the number is written `6 5`."""

    symbols = ""
    operands = 1

    def __init__(self, separator: str):
        self.separator = separator

    def render(self, question: Question) -> tuple[str, str]:
        (number,) = question.operands
        return self.separator.join(str(number)) + "\n", decompose(number)

    def written(self, completion: str) -> str:
        digits = []
        for place, line in enumerate(completion.split("\n")):
            name, _, digit = line.partition("->")
            if name != place_name(place) or not re.fullmatch(r"[0-9]", digit):
                raise ValueError(f"{line!r} is not {place_name(place)}-> and a digit")
            digits.append(digit)
        return "".join(reversed(digits))

    def show(self, completion: str) -> str:
        return ", ".join(f"{name} {digit}" for name, digit in places(self.read(completion)))


def decompose(number: int) -> str:
    """`ones->5` and so on, a line a digit."""
    return "\n".join(f"{name}->{digit}" for name, digit in places(number))


def stated(form: Format, target: str, completion: str) -> dict[str, float]:
    """Scores of an answer with its working: `exact_match` of the answer, `whole_match` of every character."""
    try:
        right = form.read(completion) == form.read(target)
    except ValueError:
        right = False
    return {"exact_match": float(right), "whole_match": float(completion == target)}
