"""From a request to a plan: every cell is checked, and what all cells share is settled, before any trains."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from flax import nnx

from jaxgpt.comparison import axes, reading
from jaxgpt.comparison.cells import Cell, Plan, Request
from jaxgpt.comparison.fairness import Draft, naming, settle_length, settle_positions, settle_steps
from jaxgpt.comparison.reading import Facts, Material, Reading
from jaxgpt.core import fields, hints
from jaxgpt.core.usage import UsageError
from jaxgpt.data.positions import check_positions
from jaxgpt.data.rows import build_rows
from jaxgpt.evaluation.questions import obstacles
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.models.transformer import Transformer
from jaxgpt.runs.opening import unseen_line
from jaxgpt.task import Example
from jaxgpt.training import flops
from jaxgpt.training.experiment import Experiment

#: Looks at validation while a cell trains, unless another number is given.
LOOKS = 12


def plan(request: Request) -> Plan:
    """Check a request and settle what its cells share.

    Raises:
      ValueError: for a cell that cannot be, in one line that names it and the way out.
    """
    drafts = _drafts(request)
    notes = [settle_positions(request, drafts), settle_length(request, drafts), *_alphabets(drafts)]
    notes.append(settle_steps(request, drafts))
    look = _look(request, drafts)
    shown = {}
    for material in {id(draft.material): draft.material for draft in drafts}.values():
        tokenizers = [draft.reading.tokenizer for draft in drafts if draft.material is material]
        shown[id(material)] = reading.telling(material, tokenizers)
    cells = tuple(_cell(draft, shown[id(draft.material)]) for draft in drafts)
    _check_different(cells)
    notes += [_model_size(request, cells), look, *_seeds(drafts)]
    found = Plan(request, cells, ())
    if found.budgets != request.budgets:
        notes.append("An example costs the same in every cell: equal examples are equal training FLOPs.")
    return dataclasses.replace(found, notes=tuple(note for note in notes if note))


def _drafts(request: Request) -> list[Draft]:
    combinations = axes.combinations(request.axes)
    if len(combinations) < 2:
        raise UsageError(
            f"one cell is no comparison: name several tokenizers, or values of --vary; "
            f"`{hints.command('train', request.name)}` trains one"
        )
    names = _distinct([axes.label(values) for values in combinations], combinations, " / ")
    slugs = _distinct([axes.slug(values) for values in combinations], combinations, "_")
    materials: dict[str, Material] = {}
    readings: dict[tuple[str, str], Reading] = {}
    found = []
    for values, name, slug in zip(combinations, names, slugs, strict=True):
        experiment = axes.apply(request.experiment, values)
        with naming(name):
            experiment = dataclasses.replace(experiment, task=experiment.task.pinned())
            _check_measured(request, experiment)
            training = experiment.training
            counts = [getattr(training, f"{name}_examples") for name in ("train", "eval", "test", "extra")]
            source = str([fields.to_json(experiment.task), training.data_seed, training.at_most, counts])
            if source not in materials:
                materials[source] = reading.gather(experiment)
            key = (source, experiment.tokenizer)
            if key not in readings:
                readings[key] = reading.read(experiment, materials[source])
        found.append(Draft(values, name, slug, experiment, materials[source], readings[key]))
    return found


def _distinct(names: list[str], combinations: Sequence[dict[str, str]], joint: str) -> list[str]:
    """Short names; where two are equal, the whole values, and folders by number."""
    if len(set(names)) == len(names):
        return names
    if joint == "_":
        return [f"{name}-{number}" for number, name in enumerate(names, 1)]
    return [joint.join(values.values()) for values in combinations]


def _check_measured(request: Request, experiment: Experiment) -> None:
    for line in experiment.only_here():
        raise ValueError(line)
    training = experiment.training
    if not training.test_examples:
        raise ValueError(
            "training.test_examples=0 asks no test question; give --training.test-examples, such as 1000"
        )
    if request.sweep and not training.eval_examples:
        raise ValueError(
            "--sweep chooses by validation questions and training.eval_examples=0 asks none; give "
            "--training.eval-examples, such as 1000"
        )
    if training.epochs is not None:
        raise ValueError(
            f"training.epochs={training.epochs}: an epoch is more steps under one tokenization than under "
            "another, and a comparison counts steps; give --training.steps in its place"
        )
    if training.packing is not None:
        raise ValueError(
            f"training.packing={training.packing}: rows that hold several questions are as many under one "
            "tokenization as under another, and their questions are not; leave packing out"
        )
    if not (experiment.objective.next_token and experiment.objective.asks):
        kind = type(experiment.objective).kind()
        raise ValueError(
            f"objective={kind}: a comparison asks questions that are answered in writing; set "
            "objective=next_token"
        )
    experiment.objective.check(experiment.model, experiment.task)


def _cell(draft: Draft, shown: Example) -> Cell:
    """A checked cell."""
    experiment, tokenizer = draft.experiment, draft.reading.tokenizer
    with naming(draft.name):
        config = experiment.model_for(tokenizer)
        _check_asked(config, draft)
        if draft.rows and config.position.size is not None:
            table = build_rows(
                draft.material.train, tokenizer, encoder_decoder=draft.both, max_length=config.max_length
            )
            check_positions(config, table)
        template = Template(config)
    both = draft.both
    tokens = draft.reading.width(encoder_decoder=both) if draft.rows else config.max_length
    source = draft.reading.source_width() if both else 0
    facts = Facts(
        vocab_size=config.vocab_size,
        **reading.text_facts(draft.reading, draft.material, shown),
        tokens=tokens,
        source=source,
        params=template.num_params,
        body=flops.body_params(template.shapes),
        flops=flops.training_flops(config, template.shapes, tokens=tokens, source=source),
        fingerprint=tokenizer.fingerprint,
        files=experiment.task.fingerprint,
    )
    return Cell(draft.values, draft.name, draft.slug, experiment, facts)


def _check_asked(config: ModelConfig, draft: Draft) -> None:
    """Raises ValueError if a test question cannot be asked: then cells would answer different ones."""
    model = nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))
    test = draft.material.test
    reasons = obstacles(model, draft.reading.tokenizer, [question.example for question in test])
    lost = [(question.example, reason) for question, reason in zip(test, reasons, strict=True) if reason]
    if lost:
        example, reason = lost[0]
        raise ValueError(
            f"{len(lost)} of {len(test)} test questions cannot be asked, such as one of "
            f"{example.group or 'the first'} ({reason}); make room for them, or ask shorter ones"
        )


def _check_different(cells: Sequence[Cell]) -> None:
    """Raises ValueError if two cells are the same experiment under two names."""
    seen: dict[str, Cell] = {}
    for cell in cells:
        plain = dataclasses.replace(cell.experiment, tokenizer=cell.facts.fingerprint)
        other = seen.setdefault(str(fields.to_json(plain)), cell)
        if other is not cell:
            raise ValueError(f"cells {other.name} and {cell.name} are the same experiment; leave one out")


def _alphabets(drafts: Sequence[Draft]) -> list[str]:
    """Which cells have symbols that no training text shows."""
    cells: dict[str, list[str]] = {}
    for draft in drafts:
        if line := unseen_line(draft.reading.unseen):
            cells.setdefault(line, []).append(draft.name)
    return [f"The alphabet of {axes.listed(names)}: {line}." for line, names in cells.items()]


def _model_size(request: Request, cells: Sequence[Cell]) -> str:
    """Check that the model is the same in every cell but for its embeddings; say so."""
    sizes = np.asarray([cell.facts.body for cell in cells])
    varied = [axis.path for axis in request.axes if axis.path.split(".")[0] == "model"]
    if sizes.min() == sizes.max():
        return f"Checked: every cell has {sizes[0]:,} parameters without embeddings."
    if not varied:
        pairs = ", ".join(f"{cell.name} {cell.facts.body:,}" for cell in cells)
        raise ValueError(f"the model is not of one size without its embeddings: {pairs}")
    return (
        f"The model's size is varied ({', '.join(varied)}): {sizes.min():,} to {sizes.max():,} parameters "
        "without embeddings."
    )


def _seeds(drafts: Sequence[Draft]) -> list[str]:
    experiment, cells = drafts[0].experiment, len(drafts)
    first, count = experiment.training.seed, experiment.seeds
    if count == 1:
        return [
            f"One seed, {first}: there is no interval over seeds, and no difference is called sure. Give "
            "--seeds 8 or more."
        ]
    notes = [
        f"Seeds {first} to {first + count - 1} in every cell. Cells of one task {_seen_alike(drafts)}answer "
        "the same questions, so differences are paired by seed."
    ]
    if count < 6:
        notes.append(
            f"With {count} seeds no difference is called sure: even where all agree, the exact sign test "
            f"gives p = {2 * 0.5**count:.3g}. Six seeds are the fewest that can be sure, 8 or more are a "
            "good number."
        )
    elif 2 * 0.5**count * (cells - 1) > 0.05:
        enough = math.ceil(math.log2((cells - 1) / 0.025))
        notes.append(
            f"With {count} seeds no difference stays sure after Holm's correction for {cells - 1} "
            f"comparisons; {enough} seeds can do it."
        )
    return notes


def _seen_alike(drafts: Sequence[Draft]) -> str:
    """What of the training examples is the same in cells of one task."""
    if len({id(draft.reading) for draft in drafts if not draft.rows}) > 1:
        return "read as many windows of the text, which begin where the tokenizer says, and "
    tasks = {str(fields.to_json(draft.experiment.task)) for draft in drafts}
    if len({id(draft.material) for draft in drafts}) > len(tasks):
        return ""
    return "see the same examples in the same order, and "


def _look(request: Request, drafts: Sequence[Draft]) -> str:
    """Let all cells be looked at while they train, unless the number of looks was given."""
    if request.sets("training.looks") or not drafts[0].experiment.training.eval_examples:
        return ""
    fewest = min(draft.experiment.training.steps for draft in drafts)
    looks = min(max(draft.experiment.training.looks or LOOKS for draft in drafts), fewest)
    for draft in drafts:
        training = dataclasses.replace(draft.experiment.training, looks=looks)
        draft.experiment = dataclasses.replace(draft.experiment, training=training)
    count = drafts[0].experiment.training.eval_examples
    return (
        f"Looked at {looks} times while it trains, at steps spaced evenly on a log scale, by {count:,} "
        "validation questions; --training.looks says how often."
    )
