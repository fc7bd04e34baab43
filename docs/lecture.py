"""Fill docs/lecture.md with what `jaxgpt lecture` made.

    python docs/lecture.py runs/lecture

The lecture's claim of each row, how it is asked here, and the figures of those in the folder are put between
the row's two marks on the page; the text around them stays, and so do the figures of other rows. Pictures and
numbers are copied to docs/lecture/.
"""

import json
import re
import shutil
import sys
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")
PICTURES = Path(__file__).with_suffix("")
_CLAIM = "The lecture's claim: "
_SAID = rf"\n{_CLAIM}[^\n]*\n(?:\nHere [^\n]*\n)?"
_MARKS = re.compile(rf"(<!-- figures: ([a-z-]+) -->\n)(?:{_SAID})?(.*?)(<!-- end -->)", re.DOTALL)


def filled(page: str, folder: Path, pictures: Path) -> str:
    """The page with each row's claim, how it is asked, and the figures of those that the folder holds."""

    def figures(match: re.Match) -> str:
        mark, row, shown, end = match.groups()
        order = folder / row / "parts.json"
        if order.exists():
            parts = [folder / row / f"{name}.md" for name in json.loads(order.read_text(encoding="utf-8"))]
            shown = "\n" + "\n".join(_figure(row, part, pictures) for part in parts) + "\n"
        claim, here, asked = _claim(row).partition(" Here ")
        asked = f"\nHere {asked}\n" if here else ""
        return f"{mark}\n{_CLAIM}{claim}\n{asked}{shown}{end}"

    return _MARKS.sub(figures, page)


def _claim(row: str) -> str:
    """What the lecture says, with its published figures, and how it is asked here."""
    from jaxgpt.core import tables
    from jaxgpt.lecture import Row

    return tables.plain(Row.named(row.replace("-", "_")).claim)


def _figure(row: str, part: Path, pictures: Path) -> str:
    """A picture with its table; both files are copied."""
    pictures.mkdir(exist_ok=True)
    name = f"{row}-{part.stem}"
    for suffix in (".png", ".csv"):
        shutil.copyfile(part.with_suffix(suffix), pictures / f"{name}{suffix}")
    table, _, summary = part.read_text(encoding="utf-8").rstrip("\n").rpartition("\n\n")
    alt = re.sub(r"[\[\]]", "", " ".join(summary.split()))
    shown = re.sub(r"^### .*\n\n", "", table.strip())
    numbers = f"[The numbers]({pictures.name}/{name}.csv)"
    return f"![{alt}]({pictures.name}/{name}.png)\n\n" + (f"{shown}\n\n" if shown else "") + f"{numbers}\n"


def main(arguments: list[str]) -> int:
    """Write the page; 2 without one folder."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("error: name the folder that jaxgpt lecture wrote, such as runs/lecture", file=sys.stderr)
        return 2
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, Path(arguments[0]), PICTURES), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.path[0] = str(PAGE.parent.parent)  # not this folder: a library is called as one of its files is
    sys.exit(main(sys.argv[1:]))
