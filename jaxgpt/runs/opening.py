"""What a run says of itself before it trains."""

import math
import textwrap
from collections.abc import Sequence
from typing import Literal

import jax
import numpy as np

from jaxgpt.core import fields
from jaxgpt.core.fields import describe
from jaxgpt.data.corpus import Windows
from jaxgpt.data.packing import PROMPT, Packed
from jaxgpt.data.stream import Stream
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import Prepared
from jaxgpt.training.program import Program
from jaxgpt.training.step_cost import example_tokens

#: Which fields the report shows: those that differ from the defaults of their classes, or all.
Shown = Literal["changed", "all"]
#: Training examples that are looked at for what a tokenizer changes.
_READ = 1000
#: Symbols that are named, of those that no training text shows.
_NAMED = 10


def devices() -> str:
    """The accelerator in use, in words."""
    found = jax.devices()
    kind = found[0].device_kind
    processes = f" in {jax.process_count()} processes" if jax.process_count() > 1 else ""
    return f"{len(found)} x {kind} ({found[0].platform}){processes}"


def settings(experiment: Experiment, overridden: frozenset[str], shown: Shown) -> str:
    """Fields of the experiment by its part; a star marks those that were given on the command line.

    Those that differ from the defaults of their classes, and the given ones, or all.
    """
    parts: dict[str, list[str]] = {}
    left_out = 0
    changed = fields.changed(experiment) | overridden
    for row in describe(experiment):
        part, _, name = row.path.partition(".")
        if row.value == "":  # a part whose fields follow
            continue
        if shown == "changed" and row.path not in changed:
            left_out += 1
            continue
        star = "*" if row.path in overridden else ""
        parts.setdefault(part, []).append(f"{star}{name or part}={row.value}")
    blocks = []
    for part, entries in parts.items():
        text = textwrap.fill(" ".join(entries), 100, subsequent_indent=" " * 14, break_long_words=False)
        blocks.append(f"{part:<13} {text}")
    if left_out:
        blocks.append(f"{'':<13} {left_out} more fields are at their defaults; --all shows them")
    return "\n".join(blocks)


def summary(prepared: Prepared) -> str:
    """Parameters, tokens, memory, the expected first loss, and two rows with what carries loss."""
    program, table, training = prepared.program, prepared.table, prepared.experiment.training
    data = sum(value.nbytes for value in table.arrays().values())
    tokens = tokens_an_epoch(table)
    batch = training.batch_size * example_tokens(prepared)
    passes = prepared.resolved.steps * training.batch_size / table.num_examples
    count = table.num_documents if isinstance(table, Packed) else table.num_examples
    examples = f"{count:,} examples, "
    if isinstance(table, Stream):
        passes, examples = prepared.resolved.steps * training.batch_size * table.window / tokens, ""
    notes = prepared.experiment.task.notes()
    lines = [
        *([notes] if notes else []),
        f"device      {devices()}; mesh "
        + ", ".join(f"{name} {size}" for name, size in program.mesh.shape.items()),
        parameters(prepared),
        f"data        {examples}{tokens:,} tokens an epoch; {batch:,} a step; {passes:.2f} epochs",
        *([packing(table)] if isinstance(table, Packed) else []),
        f"steps       {prepared.resolved.steps:,}; attention: {prepared.resolved.attention}",
        f"vocabulary  {prepared.model.vocab_size:,} ids ({prepared.experiment.tokenizer or 'of the files'})",
        *([f"alphabet    {line}"] if (line := unseen_line(prepared.unseen)) else []),
        f"memory      {mib(held(program))} for weights and moments"
        + (" on each device" if program.mesh.size > 1 else "")
        + f", {mib(data)} for the data; gradients and activations come on top",
        f"first loss  about {math.log(prepared.model.vocab_size):.3f} = log(vocabulary), if nothing is known",
        *([] if prepared.start is None else [f"weights     {prepared.start.note}"]),
        *([f"reading     {changed}"] if (changed := changes(prepared)) else []),
        f"rows        [brackets] carry loss{prepared.experiment.objective.loss_note}",
        *(f"            {row}" for row in rows(prepared, 2)),
    ]
    return "\n".join(lines)


def unseen_line(found: Sequence[str]) -> str:
    """How many symbols of the alphabet the training text never shows, and some of them; "" if none."""
    if not found:
        return ""
    shown = " ".join(map(repr, found[:_NAMED]))
    more = " ..." if len(found) > _NAMED else ""
    return f"{len(found):,} of its symbols stand in held-out text alone: {shown}{more}"


def parameters(prepared: Prepared) -> str:
    """How many weights there are, and how many are trained where not all are."""
    program, seeds = prepared.program, prepared.experiment.seeds
    line = f"parameters  {program.template.num_params:,}" + (
        f" in each of {seeds} replicas" if seeds > 1 else ""
    )
    if program.tuning.all:
        return line
    trained = sum(math.prod(leaf.shape) for leaf in program.abstract()["params"].values()) // seeds
    return f"{line}; {trained:,} are trained (training.tuning.weights={program.tuning.config.weights})"


def held(program: Program) -> int:
    """Bytes of the state on a device between steps: all weights, and moments of those that are trained."""
    leaves = jax.tree.leaves(program.abstract())
    return sum(math.prod(leaf.sharding.shard_shape(leaf.shape)) * leaf.dtype.itemsize for leaf in leaves)


def changes(prepared: Prepared) -> str:
    """How many of the first texts a lossy tokenizer changes, and one of them; "" if none."""
    tokenizer = prepared.tokenizer
    if not tokenizer.lossy:
        return ""
    texts = [text for e in prepared.examples[:_READ] for text in e.prompt.split("\t")]
    found = [(t, back) for t in texts if (back := tokenizer.decode(tokenizer.encode(t))) != t]
    if not found:
        return ""
    first, back = (repr(text if len(text) <= 40 else text[:37] + "...") for text in found[0])
    return f"{len(found):,} of the first {len(texts):,} texts come back changed, as {first} to {back}"


def tokens_an_epoch(table) -> int:
    """Real tokens in the table."""
    if isinstance(table, Stream):
        return len(table.stream)
    if isinstance(table, Packed):
        return int((table.documents > 0).sum()) + table.num_documents  # with the ends, which are not read
    source = 0 if table.source_length is None else int(table.source_length.sum())
    return int(table.length.sum()) + source


def packing(table: Packed) -> str:
    """How full packed rows are, and how full they would be with one example each."""
    count, width = table.documents.shape
    longest = max(int(np.bincount(row[row > 0]).max()) for row in table.documents)
    alone = (table.documents > 0).sum() / (table.num_documents * longest)
    return (
        f"packing     {count:,} rows of {width} places, {table.num_documents / count:.1f} examples each; "
        f"{table.share:.1%} of the places hold a token, {alone:.1%} of a padded table's"
    )


def rows(prepared: Prepared, count: int) -> list[str]:
    """The first training rows as text, with brackets around the tokens that may carry loss."""
    table, tokenizer, objective = prepared.table, prepared.tokenizer, prepared.experiment.objective
    lines = []
    for i in range(count):
        if isinstance(table, Stream):
            step = 1 if isinstance(table, Windows) else table.window
            window = table.batch(np.asarray([min(i * step, table.num_examples - 1)]))["tokens"][0]
            start = int(objective.next_token)
            ids = window[: start + min(table.window, 60)].tolist()
            lines.append(f"{show(tokenizer, ids[:start])}[{show(tokenizer, ids[start:])}...]")
            continue
        i = min(i, table.num_examples - 1)
        if isinstance(table, Packed):
            lines.append(packed_row(prepared, i))
            continue
        row = table.ids(i)
        if table.labels is not None:
            lines.append(f"{show(tokenizer, row)} [{prepared.examples[i].target}]")
            continue
        start = objective.scored_from(int(table.start[i]))
        # Only where each token is predicted from those before it, the end is, too.
        end = len(row) if objective.next_token else len(row) - 1
        source = ""
        if table.source is not None:
            source = show(tokenizer, table.source_ids(i)) + " -> "
        parts = (row[:start], row[start:end], row[end:])
        before, scored, after = (show(tokenizer, part) for part in parts)
        lines.append(f"{source}{before}[{scored}]{after}")
    return lines


def packed_row(prepared: Prepared, row: int) -> str:
    """The examples of a row one behind the other, each as it would stand alone."""
    table, tokenizer = prepared.table, prepared.tokenizer
    shown = ""
    for number, ids in enumerate(table.document_ids(row), 1):
        roles = table.roles[row][table.documents[row] == number]
        start = prepared.experiment.objective.scored_from(1 + int((roles == PROMPT).sum()))
        shown += f"{show(tokenizer, ids[:start])}[{show(tokenizer, ids[start:])}]"
    return shown


def show(tokenizer: Tokenizer, ids: list[int]) -> str:
    """Tokens on one line; the special ones by name, ids behind the tokenizer's by their number.

    Between tokens stands `|`, but for runs of tokens that are one character each.
    """
    special = {tokenizer.pad_id: "<pad>", tokenizer.bos_id: "<bos>", tokenizer.eos_id: "<eos>"}
    text, run = "", []
    for token in ids:
        if token >= tokenizer.vocab_size:
            text += f"{_divided(tokenizer, run)}<{token - tokenizer.vocab_size}>"
            run = []
        elif token in special:
            text += _divided(tokenizer, run) + special[token]
            run = []
        else:
            run.append(token)
    return (text + _divided(tokenizer, run)).replace("\n", "\\n")


def _divided(tokenizer: Tokenizer, ids: list[int]) -> str:
    """The text of ordinary tokens; one whose tokens have no text of their own, as of bytes, stays whole."""
    text, parts = tokenizer.decode(ids), [tokenizer.decode([token]) for token in ids]
    if "".join(parts) != text or all(len(part) == 1 for part in parts):
        return text
    return "|".join(parts)


def mib(size: float) -> str:
    """Bytes in a unit that suits them."""
    return f"{size / 2**20:.1f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"


def compiled_memory(compiled) -> str:
    """What XLA says the step needs, where the back end tells."""
    analysis = compiled.memory_analysis()
    if analysis is None:
        return "memory not told by this back end"
    return f"{mib(analysis.argument_size_in_bytes)} held, {mib(analysis.temp_size_in_bytes)} temporary"
