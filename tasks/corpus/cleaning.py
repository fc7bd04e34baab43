"""Cleaning documents by named rules, with a count of what each rule changed and dropped."""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from jaxgpt.core.choice import nearest

_CREDIT = re.compile(r"\[Written by MAL Rewrite\]")
_ADAPTATION = re.compile(r"\badaptations?\b|\bbased (up)?on\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"No synopsis (information )?has been added", re.IGNORECASE)
_KEPT_CATEGORIES = ("L", "M", "N", "P", "Z", "Sc", "Sm")


@dataclasses.dataclass(frozen=True)
class Limits:
    """How long a document may be, in characters, both ends included."""

    min_characters: int
    max_characters: int


@dataclasses.dataclass(frozen=True)
class Rule:
    """One step of the cleaning: the new text, or None to drop the document."""

    help: str
    apply: Callable[[str, Limits], str | None]


def _without_symbols(text: str) -> str:
    characters = set(text)
    kept = {c for c in characters if c.isspace() or c in "`^~" or _is_kept(c)}
    return text if kept == characters else "".join(c for c in text if c in kept)


def _is_kept(character: str) -> bool:
    return unicodedata.category(character).startswith(_KEPT_CATEGORIES)


def _without_source(text: str) -> str:
    """By hand: a pattern that begins with any white space takes the square of a long run of it."""
    end = text.rstrip()
    begin = end.find("(Source:", end.rfind(")", 0, -1) + 1) if end.endswith(")") else -1
    return text if begin < 0 else end[:begin].rstrip()


#: Every rule by name. `duplicates` is the one that looks at the other documents: see `clean`.
RULES = {
    "credits": Rule("takes out [Written by MAL Rewrite]", lambda text, _: _CREDIT.sub("", text)),
    "sources": Rule("takes off (Source: ...) at the end", lambda text, _: _without_source(text)),
    "symbols": Rule("takes out pictographs and control characters", lambda text, _: _without_symbols(text)),
    "spaces": Rule("makes one space of all white space", lambda text, _: " ".join(text.split())),
    "placeholders": Rule(
        "drops `No synopsis has been added`", lambda text, _: None if _PLACEHOLDER.match(text) else text
    ),
    "short": Rule(
        "drops below min_characters", lambda text, limits: None if len(text) < limits.min_characters else text
    ),
    "long": Rule(
        "drops above max_characters", lambda text, limits: None if len(text) > limits.max_characters else text
    ),
    "adaptations": Rule(
        "drops what says which work it adapts or is based on",
        lambda text, _: None if _ADAPTATION.search(text) else text,
    ),
    "duplicates": Rule("drops all but the first of equal documents", lambda text, _: text),
}


@dataclasses.dataclass(frozen=True)
class Report:
    """How many documents there were, and what became of them.

    `read` is `kept` plus the sum of `dropped`; a document is dropped by the first rule that objects.
    """

    read: int
    kept: int
    changed: dict[str, int]
    dropped: dict[str, int]

    def table(self) -> str:
        """One line a rule, in the order in which they ran."""
        lines = [f"{'rule':<14}{'changed':>9}{'dropped':>9}{'left':>9}", f"{'(read)':<32}{self.read:>9}"]
        left = self.read
        for name, dropped in self.dropped.items():
            left -= dropped
            lines.append(f"{name:<14}{self.changed.get(name, 0):>9}{dropped:>9}{left:>9}")
        return "\n".join(lines)


def check_rules(rules: Sequence[str]) -> None:
    """Raises ValueError for a rule that does not exist, with the nearest that does."""
    for name in rules:
        if name not in RULES:
            raise ValueError(f"rules: no cleaning rule is called {name!r}; {nearest(name, list(RULES))}")


def clean(
    documents: Iterable[str], rules: Sequence[str], min_characters: int, max_characters: int
) -> tuple[list[str], Report]:
    """What the rules leave of the documents, each rule applied in turn, and the report.

    Documents that are empty in the end are always dropped (`empty` in the report).
    """
    check_rules(rules)
    limits = Limits(min_characters, max_characters)
    changed = dict.fromkeys(rules, 0)
    texts = list(documents)
    read = len(texts)
    dropped: dict[str, int] = {}
    for name in rules:
        rule, left = RULES[name], []
        for text in texts:
            new = rule.apply(text, limits)
            changed[name] += new is not None and new != text
            if new is not None:
                left.append(new)
        if name == "duplicates":
            left = list(dict.fromkeys(left))
        # A rule named twice counts together.
        dropped[name] = dropped.get(name, 0) + len(texts) - len(left)
        texts = left
    kept = [text for text in texts if text.strip()]
    dropped["empty"] = len(texts) - len(kept)
    return kept, Report(read, len(kept), changed, dropped)
