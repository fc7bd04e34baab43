"""How others word a question, and how the task at hand does."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Self

from jaxgpt.core.wording import quoted
from jaxgpt.task.question_file import unescaped

_FIELD = re.compile(r"\{(\w+)\}")


@dataclasses.dataclass(frozen=True)
class Template:
    r"""Two wordings of one question, with the same names in braces: `What is {a} plus {b}? => {a}+{b}`.

    Attributes:
      theirs: what a whole question of others must look like; a name stands for one or more characters.
      ours: what one types to the task at hand for it.
    """

    theirs: str
    ours: str

    @classmethod
    def read(cls, text: str) -> Self:
        r"""The template that a text is; `\n` in it is a line end.

        Raises:
          ValueError: without ` => `, without a name in braces, or with a name on the right alone.
        """
        theirs, arrow, ours = text.partition(" => ")
        if not arrow:
            raise ValueError("write THEIRS => OURS, such as 'What is {a} plus {b}? => {a}+{b}'")
        names, used = _FIELD.findall(theirs), _FIELD.findall(ours)
        if not names:
            raise ValueError("there is no name in braces before =>, such as {a}")
        if len(set(names)) < len(names):
            raise ValueError("a name in braces stands twice before =>; it may stand once")
        if unknown := sorted(set(used) - set(names)):
            raise ValueError(f"{{{unknown[0]}}} stands behind => alone; before it: {', '.join(names)}")
        return cls(unescaped(theirs), unescaped(ours))

    def typed(self, question: str) -> str | None:
        """Our wording of their question; None if it does not look like `theirs`."""
        parts = _FIELD.split(self.theirs)  # text, name, text, name, text
        match = re.fullmatch("(.+?)".join(map(re.escape, parts[::2])), question)
        if match is None:
            return None
        found = dict(zip(parts[1::2], match.groups(), strict=True))
        return _FIELD.sub(lambda field: found[field[1]], self.ours)


def reworded(question: str, templates: Sequence[Template]) -> str:
    """A question in our wording, by the first template that fits; as it stands without templates.

    Raises:
      ValueError: if none fits.
    """
    if not templates:
        return question
    for template in templates:
        if (typed := template.typed(question)) is not None:
            return typed
    expected = " or ".join(quoted(template.theirs) for template in templates[:3])
    raise ValueError(f"{quoted(question)} does not fit the template {expected}")
