"""What a row of results.md is."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of a row's table.

    Attributes:
      label: what is measured.
      path: where it stands in the evaluation: `all`, or `groups/NAME`, `headings/NAME`, `scores/NAME`,
        `summary/NAME`, and `likelihood/PART` for a loss; `places/NAME` for the share of answers that are
        right there, `wrong/KIND` for a kind among the wrong ones; of others' questions `exam/exact_match`
        or `exam/log_smape`.
      target: what was aimed at.
      published: a published figure with its setting and source.
      file: in the run directory; of a run beside it `../RUN/evaluation.json`.
      percent: whether it is a share.
      digits: shown of what is no share.
      some: whether it is a share of some of the questions' answers, whose number is another for each seed.
    """

    label: str
    path: str = "all"
    target: str = ""
    published: str = ""
    file: str = "evaluation.json"
    percent: bool = True
    digits: int = 3
    some: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """One experiment on the page.

    Attributes:
      run: its folder below `runs/`, which the command names.
      also: commands after the first that figures come from.
      note: what a reader must know beside the figures.
      pictures: files in the run directory that are copied to `docs/strings/`, the run's name before theirs.
    """

    section: str
    title: str
    run: str
    command: str
    figures: tuple[Figure, ...]
    also: tuple[str, ...] = ()
    note: str = ""
    pictures: tuple[str, ...] = ()

    def picture(self, name: str) -> str:
        """What a picture is called beside the page."""
        return f"{self.run.removeprefix('results_')}-{name}"


@dataclasses.dataclass(frozen=True)
class SearchRow:
    """A search for constructions on the page.

    Attributes:
      run: its folder below `runs/`, which the command names.
      note: what a reader must know beside the figures.
    """

    title: str
    run: str
    command: str
    note: str = ""

    @property
    def picture(self) -> str:
        """What its picture is called beside the page."""
        return f"{self.run.removeprefix('results_search_')}.png"
