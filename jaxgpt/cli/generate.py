"""`jaxgpt generate`: asking a run one prompt on the terminal, or a file of them."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxgpt.cli.option_types import path, whole
from jaxgpt.cli.options import COMMON, Parser, add_checkpoint, add_common, unknown
from jaxgpt.cli.process import answer, start_jax
from jaxgpt.cli.writable import writable
from jaxgpt.core import fields, printing
from jaxgpt.core.lines import split_lines
from jaxgpt.core.textfile import read_text
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import one_line
from jaxgpt.core.writing import write_atomically

if TYPE_CHECKING:
    from jaxgpt.generation import Sampling
    from jaxgpt.runs.run import Run

Say = Callable[[str], None]

#: Tokens that a text goes on for, unless told otherwise.
DEFAULT_LENGTH = 200


def parser() -> Parser:
    """Its options; the fields that it takes are those of `jaxgpt.Sampling`."""
    parser = Parser(
        "generate",
        "RUN [--OPTION VALUE ...]",
        fields=_sampling_fields,
        description="Ask a run: --prompt, each line of --prompts, or line by line what you type.",
    )
    parser.add_argument("run", metavar="RUN", type=path, help="a run directory, such as runs/addition")
    parser.add_argument(
        "--prompt", metavar="TEXT", help="a prompt in ordinary notation; without one it is asked for"
    )
    parser.add_argument("--prompts", metavar="FILE", type=path, help="one prompt a line")
    parser.add_argument(
        "--output", metavar="FILE", type=path, help="text, and beside it JSON lines with the settings"
    )
    parser.add_argument(
        "--max-new-tokens",
        metavar="N",
        type=whole,
        help="at most so many, and in a file or in several samples no more than the model has room for; "
        f"default: that, of a text shown as it is written {DEFAULT_LENGTH}",
    )
    parser.add_argument("--stop", metavar="TEXT", help="end a completion before this text")
    add_checkpoint(parser)
    add_common(parser.add_argument_group(COMMON))
    return parser


def _sampling_fields() -> list[str]:
    from jaxgpt.generation import Sampling

    return [row.path for row in fields.describe(Sampling())]


def help_text(given: argparse.Namespace) -> str:
    """The help, with the fields of `jaxgpt.Sampling`."""
    from jaxgpt.cli import field_groups
    from jaxgpt.generation import Sampling

    page = parser()
    field_groups.add(page, field_groups.every(Sampling(), "how tokens are chosen"))
    return page.format_help()


def run(given: argparse.Namespace) -> int:
    """Start JAX and ask."""
    start_jax(given.distributed)
    generate(given, answer)
    return 0


def generate(given: argparse.Namespace, say: Say) -> None:
    """Answer what is asked, on the terminal or into a file.

    Raises:
      UsageError: for options that do not exist or exclude each other.
      ValueError: if a prompt is no question of the run's task.
    """
    settings = _sampling(given)
    _check_output(given)
    from jaxgpt.runs.run import load

    run = load(given.run, checkpoint=given.checkpoint)
    length = given.max_new_tokens
    stop = [given.stop] if given.stop else []
    if given.prompts is not None:
        prompts = _lines(given.prompts)
        answers = run.generate(prompts, max_new_tokens=length, sampling=settings, stop=stop)
        _write(given.output, run, _told(settings, length, stop), prompts, answers, say)
    elif given.prompt is not None:
        _answer(run, given.prompt, length, settings, stop, given.output, say)
    else:
        _converse(run, length, settings, stop, say)


def _sampling(given: argparse.Namespace) -> "Sampling":
    """The given fields of `jaxgpt.Sampling`.

    Raises:
      UsageError: for an option that is neither such a field nor one of the command.
    """
    from jaxgpt.generation import Sampling

    allowed = [name.replace("_", "-") for name in _sampling_fields()]
    for name in given.fields:
        if name.replace("_", "-") not in allowed:
            raise UsageError(unknown(name, allowed))
    return fields.override(Sampling(), given.fields)


def _check_output(given: argparse.Namespace) -> None:
    if given.prompt is not None and given.prompts is not None:
        raise UsageError("--prompt and --prompts exclude each other")
    output = given.output
    if output is not None:
        if given.prompt is None and given.prompts is None:
            raise UsageError("--output needs --prompt or --prompts; what is asked for here is only shown")
        if Path(output).suffix == ".jsonl":
            raise UsageError(f"--output {output}: the text goes there, and JSON lines beside it; name a .txt")
        writable(output)
        writable(Path(output).with_suffix(".jsonl"))


def _converse(run: "Run", length: int | None, settings: "Sampling", stop: list[str], say: Say) -> None:
    """Answer each line of standard input.

    Raises:
      UsageError: at its end, for prompts without an answer, if it is no terminal.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed; give --prompt TEXT or --prompts FILE")
    typed, failed = sys.stdin.isatty(), 0
    for text in _asked("prompt> " if typed else ""):
        try:
            _answer(run, text, length, settings, stop, None, say)
        except ValueError as error:
            failed += 1
            if typed:
                say(f"error: {error}")
            else:  # answers may go into a file
                printing.complain(f"error: {error}\n")
    if failed and not typed:
        raise UsageError(f"{failed} of the prompts could not be answered; the lines above say why")


def _asked(sign: str) -> Iterator[str]:
    """The lines of standard input, with any line ends; `sign` is the prompt of a terminal."""
    while True:
        try:
            line = input(sign)
        except EOFError:
            return
        except UnicodeDecodeError as error:
            raise UsageError(
                f"standard input is read as {error.encoding}, which it is not; "
                "PYTHONIOENCODING=utf-8 in the environment says what it is"
            ) from error
        yield from split_lines(line + "\n")


def _answer(run: "Run", text: str, length, settings: "Sampling", stop, output, say: Say) -> None:
    """Answer one prompt: text streams as it is written; an answer in other notation comes whole."""
    writes_on = run.task.layout == "stream" and run.model.config.kind == "decoder"
    streams = writes_on and settings.num_samples == 1 and output is None
    if not streams:
        answers = run.generate(text, max_new_tokens=length, sampling=settings, stop=stop)
        _write(output, run, _told(settings, length, stop), [text], answers, say)
        return
    from jaxgpt.generation import stream

    ids = run.tokenizer.begun(run.tokenizer.encode(run.task.prompt(text)))
    length = length or DEFAULT_LENGTH
    given = {"max_new_tokens": length, "sampling": settings, "stop": stop, "overflow": "slide"}
    pieces = stream(run.model, run.tokenizer, ids, **given)
    print(text, end="")  # behind whatever refuses it
    try:
        for piece in pieces:
            print(piece, end="", flush=True)
    finally:
        say("")  # also where a text breaks off, so that no other follows on its line


def _lines(file: str) -> list[str]:
    """The prompts of a file, one a line."""
    try:
        text = read_text(file, pipes=True)
    except ValueError as error:
        raise UsageError(one_line(f"--prompts {error}")) from error
    return [line for line in split_lines(text) if line.strip()]


def _told(settings: "Sampling", length: int | None, stop: list[str]) -> dict[str, Any]:
    """The settings of completions, as JSON values; `max_new_tokens` null: the room of the model."""
    return {"sampling": fields.to_json(settings), "max_new_tokens": length, "stop": stop}


def _write(output, run: "Run", settings: dict[str, Any], prompts, answers, say: Say) -> None:
    if output is None:
        for samples in answers:
            for sample in samples:
                say(sample)
        return
    file = Path(output)
    blocks, records = [], []
    for prompt, samples in zip(prompts, answers, strict=True):
        for number, sample in enumerate(samples):
            blocks.append(f"{prompt}\n{sample}\n")
            records.append({"prompt": prompt, "sample": number, "completion": sample})
    write_atomically(file, "\n".join(blocks))
    head = {"run": run.directory.name, "step": run.step, **settings}
    lines = file.with_suffix(".jsonl")
    write_atomically(lines, "".join(json.dumps(head | record) + "\n" for record in records))
    say(f"written: {file} and {lines}")
