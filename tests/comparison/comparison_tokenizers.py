"""Tokenizers that do not suit sums, each in its own way."""

from jaxgpt.tokenizers.characters import Characters


class _Fixed(Characters):
    """Its alphabet does not depend on the text."""

    alphabet = "0123456789+="

    @classmethod
    def from_spec(cls, arguments, texts):
        return super().from_spec(arguments, lambda: [cls.alphabet])


class NoSevens(_Fixed):
    """Cannot spell every number."""

    alphabet = "012345689+="


class Rounds(_Fixed):
    """Loses the last digit of a number that ends the text."""

    def encode(self, text):
        return super().encode(text[:-1] + "0" if text[-1:].isdigit() else text)


class Doubles(_Fixed):
    """Writes the answer marker twice, and reads it back once."""

    def encode(self, text):
        return super().encode(text.replace("=", "=="))

    def decode(self, ids):
        return super().decode(ids).replace("==", "=")
