"""Figures of matplotlib as files: text stays text, and the same figure gives the same bytes."""

import warnings
from collections.abc import Iterator
from typing import Any, Literal

#: How the ids of texts on a coloured area begin, in an SVG: on a dark page these keep their colour.
ON_COLOUR = "on-colour"


def write(figure: Any, target: Any, form: Literal["png", "svg"]) -> None:
    """Write a figure to a path or to an open file of bytes."""
    from matplotlib import rc_context
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_usetex(False)  # whatever a matplotlibrc says: names are not written for LaTeX
    with warnings.catch_warnings(), rc_context({"text.usetex": False}):
        # Scripts that the font lacks are boxes in a PNG; an SVG leaves them to its reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        if form == "png":
            figure.savefig(target, dpi=150, format="png")
            return
        for number, text in enumerate(_on_colour(figure)):
            text.set_gid(f"{ON_COLOUR}-{number}")
        with rc_context({"svg.hashsalt": "jaxgpt", "svg.fonttype": "none"}):
            figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def _on_colour(figure: Any) -> Iterator[Any]:
    """The texts that stand on an image, a bar or another area of the data."""
    if not any(axes.texts and (axes.images or axes.patches or axes.collections) for axes in figure.axes):
        return
    figure.draw_without_rendering()  # which gives everything its place
    for axes in figure.axes:
        areas = [*axes.images, *(area for area in axes.collections if hasattr(area, "get_coordinates"))]
        for text in axes.texts:
            point = text.get_transform().transform(text.get_position())
            on_area = any(area.get_window_extent().contains(*point) for area in areas)
            if on_area or any(_covers(patch, point) for patch in axes.patches):
                yield text


def _covers(patch: Any, point: Any) -> bool:
    return patch.get_facecolor()[3] > 0.3 and bool(patch.contains_point(point))
