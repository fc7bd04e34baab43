"""Prompts with their targets in a file: lines with tabs, or JSON objects."""

import re
from typing import Any, NamedTuple

from jaxgpt.core.wording import in_file, quoted
from jaxgpt.task import Example
from jaxgpt.task.question_file import PROMPT_KEYS, TARGET_KEYS, find_key, read_file, text_of, unescaped

#: What `group` is called for the last column of a line.
LAST = "column"
#: A comma or a point may stand behind it, as at the end of a clause, if no digit follows.
_NUMBER = re.compile(r"(?<![\w.])(?<![0-9],)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?(?!\w|[.,][0-9])")


class Form(NamedTuple):
    """How a file says its pairs; see the fields of `tasks.pairs.Pairs` with the same names."""

    texts: int = 1
    group: str = ""
    escapes: str = "kept"
    prompt_key: str = ""
    target_key: str = ""
    numbers: str = "kept"


def read_pairs(path: str, form: Form, *, alone: bool = False) -> list[Example]:
    """The pairs of a file, in its order.

    Args:
      alone: prompts may stand without a target.

    Raises:
      ValueError: if the file cannot be read or a row is malformed; one line that begins with the file.
    """
    pairs = []
    for where, row in read_file(path):
        try:
            if isinstance(row, str):
                pairs.append(_of_line(row, where, form, alone))
            else:
                pairs.append(_of_object(row, where, form, alone))
        except ValueError as error:
            raise ValueError(in_file(path, str(error))) from error
    return pairs


def plain_numbers(text: str) -> str:
    """Numbers without separators of thousands, and without zeros at the end or at the beginning."""

    def plain(match: re.Match) -> str:
        whole, places = match[1].replace(",", "").lstrip("0") or "0", (match[2] or "").rstrip("0")
        return whole + places.removesuffix(".")

    return _NUMBER.sub(plain, text)


def _pair(prompt: str, target: str, group: str, form: Form) -> Example:
    if form.numbers == "plain":
        prompt, target = plain_numbers(prompt), plain_numbers(target)
    return Example(prompt, target, group)


def _of_object(row: dict[str, Any], where: str, form: Form, alone: bool) -> Example:
    prompt = find_key(row, form.prompt_key, PROMPT_KEYS, "--task.prompt-key", where)
    target = group = ""
    if not alone:
        key = find_key(row, form.target_key, TARGET_KEYS, "--task.target-key", where)
        target = text_of(row, key, where)
        if not target:
            raise ValueError(f"{where}: {quoted(key)} is empty")
    if form.group and not alone:
        group = text_of(row, find_key(row, form.group, (), "--task.group", where), where)
    return _pair(text_of(row, prompt, where), target, group, form)


def _of_line(line: str, where: str, form: Form, alone: bool) -> Example:
    if alone and "\t" not in line:
        return _pair(unescaped(line) if form.escapes == "read" else line, "", "", form)
    rest, group = line, ""
    if form.group:
        if form.group != LAST:
            raise ValueError(
                f"{where} has no keys, and task.group={quoted(form.group)} is one; set it to {LAST}"
            )
        rest, _, group = line.rpartition("\t")
    prompt, _, target = rest.rpartition("\t")
    count = line.count("\t")
    needed = (form.texts + bool(form.group)) if form.texts else max(count, 1 + bool(form.group))
    if count != needed or not prompt or not target:
        raise _malformed(line, where, form, count if count != needed else None, bool(prompt))
    if form.escapes == "read":
        prompt, target = unescaped(prompt), unescaped(target)
    return _pair(prompt, target, group, form)


def _malformed(line: str, where: str, form: Form, tabs: int | None, prompt: bool) -> ValueError:
    if tabs is None:
        wrong = f"nothing {'after' if prompt else 'before'} its tab"
    else:
        wrong = f"{tabs} tab" + "s" * (tabs > 1) if tabs else "no tab"
    if form.group:
        needed = f"{form.texts or 'its'} texts, a target and a group, by tabs"
    elif form.texts == 1:
        needed = "a prompt, one tab, and a target"
    else:
        needed = f"{form.texts or 'its'} texts and a target, by tabs"
    more = ""
    if tabs and tabs > 1 and form.texts == 1 and not form.group:
        more = "; or set task.texts=0, for prompts of several texts"
        more += f", or task.group={LAST} for a group at its end" * (tabs == 2)
    return ValueError(f"{where} has {wrong}: {quoted(line)}; a line is {needed}{more}")
