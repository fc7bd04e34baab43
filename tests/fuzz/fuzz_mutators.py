"""Damage and malice: what a case does to the files of a directory before they are read."""

import json
import os
import struct
from pathlib import Path
from random import Random
from typing import Any

#: A file beside the case that no reader may open; its name appears in what is written into the case's files.
OUTSIDE = "outside/secret.json"

#: Values that stand where others were expected.
VALUES = (
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, -1e308, float("nan"), float("inf")),
    *(2**31, 2**63, 10**18, 10**39, 10**400, -(10**30), 65_535, 100_000),
    *("", "x", "none", "\ud800", "\x00", "\u3000", "a\nb", "é" * 300, "{" * 5000, "9" * 5000),
    *("../" + OUTSIDE, "/etc/passwd", "..", ".", "~nosuchuser", "a/b", "os:system", "builtins:eval"),
    *(
        "fuzz_never_imported:Class",
        "fuzz_never_imported.part:Class",
        "jaxgpt.nn.mlp:Mlp",
        "__main__:x",
        ":",
        "x:y",
    ),
    *([], {}, [[]], [None], ["x"], [1] * 50, {"x": 1}, {"kind": "digits"}, {"kind": "rotary", "theta": -1}),
)


def mutate(folder: Path, rng: Random, pattern: str = "**/*") -> str:
    """Change one file of a directory; what was done, for the report of a failing case."""
    files = sorted(path for path in folder.glob(pattern) if readable(path))
    if not files:
        return "nothing left"
    path = rng.choice(files)
    kinds = [structure] * 6 * (path.suffix in (".json", ".jsonl") or path.name.startswith("_"))
    kinds += [header] * 6 * (path.suffix == ".safetensors")
    kind = rng.choice([*kinds, data, data, entry])
    try:
        what = kind(path, rng)
    except (ValueError, IndexError, KeyError, RecursionError):  # this file has no such structure any more
        what = data(path, rng)
    return f"{path.relative_to(folder)}: {what}"


def readable(path: Path) -> bool:
    """Whether a file may be read to change it: an earlier change may have left one without end."""
    return path.is_file() and not path.is_symlink() and path.stat().st_size < 2**26


def structure(path: Path, rng: Random) -> str:
    """One value of a JSON file, or of one line of it, becomes another."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines() if path.suffix == ".jsonl" else [text]
    number = rng.randrange(len(lines))
    root = {"": json.loads(lines[number])}
    what = change(root, rng)
    lines[number] = json.dumps(root[""])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return what


def change(root: dict[str, Any], rng: Random) -> str:
    """One place somewhere in a JSON value is replaced, renamed, removed or repeated."""
    places = list(_places(root, rng))
    holder, key = rng.choice(places)
    old = holder[key]
    near = old * rng.choice((0, 2, -1, 1000)) if type(old) in (int, float) else old
    value = rng.choice([*VALUES, *VALUES, near, [old], {"x": old}])
    action = rng.choice(("replace", "replace", "replace", "remove", "rename", "repeat"))
    if isinstance(holder, list) or key == "" or action == "replace":
        holder[key] = value
    elif action == "repeat":
        holder[f"{key}{key}"] = old
    else:
        del holder[key]
        if action == "rename":
            holder[key[:-1] or "x"] = old
    return f"{action} {key!r} {repr(value)[:60]}"


def _places(root: Any, rng: Random):
    """Some places of each list and object: a vocabulary is hit no oftener than what is around."""
    todo = [root]
    while todo:
        holder = todo.pop()
        keys = list(range(len(holder)) if isinstance(holder, list) else holder)
        for key in rng.sample(keys, min(12, len(keys))):
            yield holder, key
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])


def header(path: Path, rng: Random) -> str:
    """The header of a safetensors file."""
    whole = path.read_bytes()
    (size,) = struct.unpack("<Q", whole[:8])
    root = {"": json.loads(whole[8 : 8 + size])}
    what = change(root, rng)
    text = json.dumps(root[""]).encode()
    size = rng.choice((len(text),) * 5 + (2**63, len(text) + 1, 0))
    path.write_bytes(struct.pack("<Q", size) + text + whole[8 + struct.unpack("<Q", whole[:8])[0] :])
    return f"header: {what}"


def data(path: Path, rng: Random) -> str:
    """Bytes that are lost, turned, put in, or all others."""
    whole = bytearray(path.read_bytes())
    place = rng.randrange(len(whole) + 1)
    action = rng.choice(("cut", "turn", "put", "empty", "repeat", "noise", "bad", "deep", "pickle"))
    if action == "cut":
        whole = whole[:place]
    elif action == "turn":
        for _ in range(min(rng.choice((1, 1, 20)), len(whole))):
            whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    elif action == "put":
        whole[place:place] = rng.choice((b"\x00" * 9, b"\xff", b"\r\r\n", b"\xef\xbb\xbf", b"9" * 5000, b'"'))
    elif action == "repeat":
        whole = whole * rng.choice((2, 50 if len(whole) < 2**20 else 3))
    elif action == "noise":
        whole = rng.randbytes(rng.choice((1, 1000, 100_000)))
    elif action == "bad":
        whole[place : place + 1] = b"\xc3\x28"
    elif action == "deep":
        whole = rng.choice((b"[", b'{"a":')) * rng.choice((500, 100_000))
    else:
        whole = b"\x80\x04\x95" + whole if action == "pickle" else b""
    path.write_bytes(whole)
    return action


def entry(path: Path, rng: Random) -> str:
    """Something else stands where the file was: a link, a pipe, a directory, a file without end, nothing."""
    outside = path
    while not (outside / OUTSIDE).exists():
        outside = outside.parent
    outside = outside / OUTSIDE
    action = rng.choice(
        ("link", "link", "relative link", "folder link", "pipe", "folder", "sparse", "gone", "/dev/zero")
    )
    if action == "folder link" and path.parent.parent.name == "case":
        action = "link"  # a directory that a person names may be a link itself
    if action == "folder link":
        os.rename(path.parent, moved := outside.parent.parent / f"{path.parent.name}-moved")
        os.symlink(moved, path.parent)
        return action
    path.unlink()
    if action == "link":
        path.symlink_to(outside)
    elif action == "relative link":
        path.symlink_to(os.path.relpath(outside, path.parent))
    elif action == "pipe":
        os.mkfifo(path)
    elif action == "folder":
        path.mkdir()
    elif action == "sparse":
        with open(path, "wb") as file:
            file.truncate(2**40)
    elif action == "/dev/zero":
        path.symlink_to("/dev/zero")
    return action
