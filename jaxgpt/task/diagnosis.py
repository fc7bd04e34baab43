"""What is right and what is wrong with one answer, in a task's own terms."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """One answer, looked at more closely than right or wrong; `Task.diagnose` gives it.

    Attributes:
      places: which digits of the right answer the given one has, by the name of the place, ones first. What
        is not a digit, such as a sign, follows them.
      facets: properties of the question by which exact match is grouped, such as
        `{"longest carry chain": "3"}`.
      wrong: "" for a right answer, else the one kind of `Task.wrong_kinds` that it is.
    """

    places: dict[str, bool]
    facets: dict[str, str]
    wrong: str = ""
