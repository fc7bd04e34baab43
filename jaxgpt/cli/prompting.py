"""Asking a run: one prompt on the terminal, or a file of them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from jaxgpt.cli.options import Given, unknown, writable
from jaxgpt.core import fields
from jaxgpt.core.lines import split_lines
from jaxgpt.core.textfile import read_text
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import one_line
from jaxgpt.generation import Sampling, stream
from jaxgpt.runs.run import Run, Which, load

Say = Callable[[str], None]

#: Tokens that a text goes on for, unless told otherwise.
DEFAULT_LENGTH = 200


def generate(given: Given, checkpoint: Which, say: Say) -> None:
    """What `jaxgpt generate` does.

    Raises:
      UsageError: for options that do not exist or exclude each other.
      ValueError: if a prompt is no question of the run's task.
    """
    settings = Sampling()
    allowed = [row.path.replace("_", "-") for row in fields.describe(settings)]
    for name in given.fields:
        if name.replace("_", "-") not in allowed:
            raise UsageError(unknown(name, allowed))
    settings = fields.override(settings, given.fields)
    if given.get("prompt") is not None and given.get("prompts") is not None:
        raise UsageError("--prompt and --prompts exclude each other")
    output = given.get("output")
    if output is not None:
        if given.get("prompt") is None and given.get("prompts") is None:
            raise UsageError("--output needs --prompt or --prompts; what is asked for here is only shown")
        if Path(output).suffix == ".jsonl":
            raise UsageError(f"--output {output}: the text goes there, and JSON lines beside it; name a .txt")
        writable(output)
        writable(Path(output).with_suffix(".jsonl"))
    run = load(given.positional, checkpoint=checkpoint)
    length = given.whole("max-new-tokens") if given.get("max-new-tokens") else None
    stop = [given.get("stop")] if given.get("stop") else []
    if given.get("prompts") is not None:
        prompts = _lines(given.get("prompts"))
        answers = run.generate(prompts, max_new_tokens=length, sampling=settings, stop=stop)
        _write(output, run, settings, prompts, answers, say)
        return
    if given.get("prompt") is not None:
        _answer(run, given.get("prompt"), length, settings, stop, output, say)
        return
    if sys.stdin is None:
        raise UsageError("standard input is closed; give --prompt TEXT or --prompts FILE")
    while True:
        try:
            text = input("prompt> " if sys.stdin.isatty() else "")
        except EOFError:
            return
        except UnicodeDecodeError as error:
            raise UsageError(
                f"standard input is read as {error.encoding}, which it is not; "
                "PYTHONIOENCODING=utf-8 in the environment says what it is"
            ) from error
        try:
            _answer(run, text, length, settings, stop, None, say)
        except ValueError as error:
            say(f"error: {error}")


def _answer(run: Run, text: str, length, settings: Sampling, stop, output, say: Say) -> None:
    """Answer one prompt: text streams as it is written; an answer in other notation comes whole."""
    writes_on = run.task.layout == "stream" and run.model.config.kind == "decoder"
    streams = writes_on and settings.num_samples == 1 and not stop and output is None
    if not streams:
        answers = run.generate(text, max_new_tokens=length, sampling=settings, stop=stop)
        _write(output, run, settings, [text], answers, say)
        return
    print(text, end="")
    ids = run.tokenizer.begun(run.tokenizer.encode(run.task.prompt(text)))
    length = length or DEFAULT_LENGTH
    for piece in stream(
        run.model, run.tokenizer, ids, max_new_tokens=length, sampling=settings, overflow="slide"
    ):
        print(piece, end="", flush=True)
    say("")


def _lines(path: str) -> list[str]:
    """The prompts of a file, one a line."""
    try:
        text = read_text(path, pipes=True)
    except ValueError as error:
        raise UsageError(one_line(f"--prompts {error}")) from error
    return [line for line in split_lines(text) if line.strip()]


def _write(output, run: Run, settings: Sampling, prompts, answers, say: Say) -> None:
    if output is None:
        for samples in answers:
            for sample in samples:
                say(sample)
        return
    path = Path(output)
    blocks, records = [], []
    for prompt, samples in zip(prompts, answers, strict=True):
        for number, sample in enumerate(samples):
            blocks.append(f"{prompt}\n{sample}\n")
            records.append({"prompt": prompt, "sample": number, "completion": sample})
    path.write_text("\n".join(blocks), encoding="utf-8", errors="backslashreplace")
    head = {"run": run.directory.path.name, "step": run.step, "sampling": fields.to_json(settings)}
    lines = path.with_suffix(".jsonl")
    lines.write_text("".join(json.dumps(head | record) + "\n" for record in records), encoding="utf-8")
    say(f"written: {path} and {lines}")
