"""A picture of matplotlib as a part of a page: small, in the page's font, and for light and dark pages."""

import io
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jaxgpt.core import figures

_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_LINK = re.compile(r"url\(#(.*?)\)")
#: A rotation by nothing, which every text of matplotlib has.
_NO_TURN = re.compile(r"rotate\(-?0(\.0*)? [^)]*\)$")
#: Characters that XML cannot hold.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WITHOUT = ("metadata", "style")


def svg_of(figure: Any) -> str:
    """The SVG of a figure, or of a file that has one; a window's figure is closed."""
    if isinstance(figure, Path):
        return figure.read_text(encoding="utf-8")
    file = io.BytesIO()
    figures.write(figure, file, "svg")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return file.getvalue().decode()


def inline(svg: str, alt: str, prefix: str, classes: dict[str, str]) -> str:
    """An SVG of matplotlib as an element of a page.

    Backgrounds become transparent, black and greys follow the page's colours, and numbers have two decimals.

    Args:
      alt: what it shows, in words.
      prefix: of its ids; no other picture of the page has it.
      classes: name of a class by the style that it stands for, of all pictures of a page; what the picture
        needs is added.
    """
    root = ElementTree.fromstring(_NO_XML.sub("\ufffd", svg))
    links = set(_LINK.findall(svg)) | set(re.findall(r'href="#(.*?)"', svg))
    _strip(root)
    kept = set()
    for group in root.iter("g"):
        if group.get("id", "").startswith(figures.ON_COLOUR):
            kept.update(group.iter())
            group.set("style", "fill: #000000")  # which is not written
    for element in root.iter():
        attributes = {_local(name): value for name, value in element.attrib.items()}
        element.attrib.clear()
        style = _style(attributes.pop("style", ""), kept=element in kept)
        for name, value in attributes.items():
            if (name != "id" or value in links) and not _NO_TURN.match(value):
                element.set(name, _attribute(name, value, prefix))
        if style:
            element.set("class", classes.setdefault(style, f"k{len(classes)}"))
    _flatten(root)
    width = _points(root.attrib.pop("width", ""))
    root.attrib.pop("height", None)
    root.attrib.pop("version", None)
    root.attrib.pop("class", None)
    if width:
        root.set("style", f"--w:{width * 4 / 3:.0f}px")
    root.set("role", "img")
    root.set("aria-label", alt)
    return ElementTree.tostring(root, encoding="unicode")


def sheet(classes: dict[str, str]) -> str:
    """The style sheet of the classes that pictures need."""
    return "\n".join(f".{name}{{{style}}}" for style, name in classes.items())


def _strip(element: ElementTree.Element) -> None:
    """Take away name spaces, metadata, white backgrounds and the white space between elements."""
    element.tag = _local(element.tag)
    element.tail = None
    if element.tag not in ("text", "tspan"):
        element.text = None
    for child in list(element):
        _strip(child)
        if child.tag in _WITHOUT or (child.tag == "defs" and not len(child)) or _is_empty(child):
            element.remove(child)
    first = element.find("g")
    if element.get("id", "").startswith(("figure_", "axes_")) and first is not None:
        for path in first.findall("path"):
            if path.get("style", "").strip() == "fill: #ffffff":
                first.remove(path)


def _flatten(element: ElementTree.Element) -> None:
    """Put what stands in a group that has no attribute in the group's place."""
    found: list[ElementTree.Element] = []
    for child in list(element):
        _flatten(child)
        found += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = found


def _is_empty(element: ElementTree.Element) -> bool:
    return element.tag == "g" and not len(element) and not element.text and element.get("id") is None


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _points(length: str) -> float:
    return float(length.removesuffix("pt")) if length.endswith("pt") else 0.0


def _attribute(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "href":
        return f"#{prefix}{value[1:]}" if value.startswith("#") else re.sub(r"\s", "", value)
    if name == "d":
        return _path(value)
    if name in ("x", "y", "width", "height", "points"):
        return _NUMBER.sub(lambda number: _short(float(number[0])), value)
    if name == "transform":
        return _NUMBER.sub(lambda number: f"{round(float(number[0]), 4):g}", value)
    return _LINK.sub(rf"url(#{prefix}\1)", value)


def _path(d: str) -> str:
    """The same path, each point told by its distance from the one before it."""
    found, at, begin = [], (0, 0), (0, 0)
    for command, numbers in re.findall("([MLCQz])([^MLCQz]*)", d):
        if command == "z":
            found.append("z")
            at = begin
            continue
        values = [round(100 * float(number)) for number in numbers.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        steps = [(x - at[0], y - at[1]) for x, y in points]
        at = points[-1]
        begin = at if command == "M" else begin
        found.append(command.lower() + _joined(value for step in steps for value in step))
    return "".join(found)


def _joined(hundredths) -> str:
    """Numbers behind each other, with a space only where it is needed."""
    text = ""
    for value in hundredths:
        number = _short(value / 100)
        text += number if not text or number.startswith("-") else f" {number}"
    return text


def _short(value: float) -> str:
    """A number with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else re.sub(r"^(-?)0\.", r"\1.", text)


def _style(style: str, *, kept: bool) -> str:
    """The declarations of a style in the page's font and colours."""
    found = {}
    for declaration in filter(str.strip, style.split(";")):
        name, _, value = declaration.partition(":")
        found[name.strip()] = value.strip()
    if (font := found.pop("font", None)) is not None:  # older releases of matplotlib write all in one
        match = re.match(r"(?:(italic|oblique) )?(?:(bold|\d+) )?([\d.]+px) (.*)", font)
        if match is not None:
            names = ("font-style", "font-weight", "font-size", "font-family")
            found |= {name: value for name, value in zip(names, match.groups(), strict=True) if value}
    family = found.pop("font-family", "")
    if "Mono" in family.partition(",")[0] or family == "monospace":
        found["font-family"] = "var(--mono)"
    lines = []
    for name, value in found.items():
        if name in ("fill", "stroke") and _COLOUR.fullmatch(value) and not kept:
            lines += [f"{name}:{colour}" for colour in _colours(value, name, "opacity" in style)]
        else:
            lines.append(f"{name}:{value}")
    return ";".join(lines)


def _colours(colour: str, use: str, clear: bool) -> list[str]:
    """What stands for a colour on pages of either kind: what old browsers read, and what others do.

    Greys are mixed of the page's two colours. A pale area becomes a strong colour that lets the page through,
    so that it is pale on a light page, and dark on a dark one.
    """
    red, green, blue = channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    if max(channels) - min(channels) <= 6:
        ink = 100 - round(100 * sum(channels) / 3 / 255)
        if ink in (0, 100):
            return [f"var(--{'ink' if ink else 'paper'})"]
        return [colour, f"color-mix(in srgb,var(--ink) {ink}%,var(--paper))"]
    if use == "fill" and min(channels) >= 200 and not clear:
        share = 1 - min(channels) / 255
        red, green, blue = (round(255 - (255 - value) / share) for value in channels)
        return [f"rgb({red} {green} {blue}/{share:.2f})"]
    return [colour]
