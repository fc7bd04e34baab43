"""The settings that cells of a fair comparison share: positions, context, number of examples."""

import contextlib
import dataclasses

from jaxgpt.comparison import reading
from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Request
from jaxgpt.comparison.reading import Material, Reading
from jaxgpt.data.positions import hidden_marker
from jaxgpt.nn.position import Position
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.training.experiment import Experiment


@dataclasses.dataclass
class Draft:
    """A cell on its way into the plan."""

    values: dict[str, str]
    name: str
    slug: str
    experiment: Experiment
    material: Material
    reading: Reading

    @property
    def both(self) -> bool:
        return self.experiment.model.kind == "encoder_decoder"

    @property
    def rows(self) -> bool:
        return self.experiment.task.layout == "rows"


@contextlib.contextmanager
def naming(name: str):
    """Errors inside name the cell."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"cell {name}: {error}") from error


def settle_positions(request: Request, drafts: list[Draft]) -> str:
    """Give all cells rotary positions where some cannot have a scheme that counts digits; say so."""
    lacking = {draft.name: reason for draft in drafts if (reason := _digits_lacking(draft))}
    if not lacking:
        return ""
    if request.sets("model.position"):
        for draft in drafts:
            _check_usable(draft)
        return (
            "Positions as given: they count tokens of digits, which are no single digits in "
            f"{listed(lacking)}."
        )
    kinds = sorted({type(d.experiment.model.position).kind() for d in drafts if d.name in lacking})
    for draft in drafts:
        with naming(draft.name):
            model = dataclasses.replace(draft.experiment.model, position=Rotary())
        draft.experiment = dataclasses.replace(draft.experiment, model=model)
    name, reason = next(iter(lacking.items()))
    others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return (
        f"Positions are rotary in every cell: the experiment's scheme, {listed(kinds)}, counts single "
        f"digits, and {name}{others} cannot have it ({reason}). --model.position or --vary model.position "
        "decides otherwise."
    )


def _counts_digits(position: Position) -> bool:
    return any(field.name == "digit_ids" for field in dataclasses.fields(position))


def _digits_lacking(draft: Draft) -> str:
    """Why a cell cannot have its position scheme as it is meant; "" if it can."""
    position, tokenizer = draft.experiment.model.position, draft.reading.tokenizer
    if not _counts_digits(position):
        return ""
    try:
        draft.experiment.model_for(tokenizer)
    except ValueError as error:
        return str(error)
    split = reading.split_number(tokenizer, draft.material.numbers)
    return f"it reads {split}" if split else _marker_lost(draft)


def _marker_lost(draft: Draft) -> str:
    """Why the answer's marker is not seen; "" if it is, or is not looked for."""
    if draft.both:  # the decoder reads nothing but the answer
        return ""
    prompts = [question.example.prompt for question in draft.material.test]
    return hidden_marker(draft.experiment.model.position, draft.reading.tokenizer, prompts)


def _check_usable(draft: Draft) -> None:
    """Raises ValueError if a position scheme that was asked for would see no digits, or no marker."""
    if not _counts_digits(draft.experiment.model.position):
        return
    with naming(draft.name):
        tokenizer = draft.reading.tokenizer
        draft.experiment.model_for(tokenizer)
        kind = type(draft.experiment.model.position).kind()
        way_out = f"leave the tokenizer or model.position={kind} out"
        texts = tokenizer.token_texts()
        for number in draft.material.numbers:
            parts = [texts[i] for i in tokenizer.encode(number)]
            if not all(part.isascii() and part.isdigit() for part in parts):
                shown = " ".join(map(repr, parts))
                raise ValueError(
                    f"model.position={kind} counts tokens of digits, and the tokenizer reads {number} as "
                    f"{shown}; {way_out}"
                )
        if lost := _marker_lost(draft):
            raise ValueError(f"model.position={kind}: {lost}; {way_out}")


def settle_steps(request: Request, drafts: list[Draft]) -> str:
    """Let cells with another batch size train on as many examples as the baseline; say so.

    Raises:
      ValueError: if a batch size does not divide their number.
    """
    first = next(draft for draft in drafts if draft.values == request.baseline).experiment.training
    if all(draft.experiment.training.batch_size == first.batch_size for draft in drafts):
        return ""
    examples = first.steps * first.batch_size
    for draft in drafts:
        training = draft.experiment.training
        if examples % training.batch_size:
            raise ValueError(
                f"cell {draft.name}: training.batch_size={training.batch_size} does not divide the "
                f"{examples:,} examples of the baseline, {first.steps:,} steps of {first.batch_size}; give "
                "another batch size or training.steps"
            )
        training = training.of_steps(examples // training.batch_size)
        draft.experiment = dataclasses.replace(draft.experiment, training=training)
    found = [draft.experiment.training.steps for draft in drafts]
    return (
        f"The batch size is varied: every cell trains on {examples:,} examples, which takes {min(found):,} "
        f"to {max(found):,} steps."
    )


def settle_length(request: Request, drafts: list[Draft]) -> str:
    """Give all cells the context that the longest one needs, unless one was given."""
    rows = [draft for draft in drafts if draft.rows]
    if not rows:
        return ""
    needs = {draft.name: draft.reading.needed(encoder_decoder=draft.both) for draft in rows}
    longest = max(needs, key=needs.get)
    if request.sets("model.max_length"):
        for draft in rows:
            limit = draft.experiment.model.max_length
            if needs[draft.name] > limit:
                raise ValueError(
                    f"cell {draft.name}: a prompt with its answer has {needs[draft.name]} tokens and exceeds "
                    f"the context, model.max_length={limit}; give --model.max-length {needs[longest]}, or "
                    "leave it out"
                )
        return ""
    old = max(draft.experiment.model.max_length for draft in rows)
    length = max(old, needs[longest])
    for draft in rows:
        model = dataclasses.replace(draft.experiment.model, max_length=length)
        draft.experiment = dataclasses.replace(draft.experiment, model=model)
    if length == old:
        return (
            f"The context is {length} tokens in every cell; the longest, {longest}, needs {needs[longest]}."
        )
    return f"The context is {length} tokens in every cell instead of {old}: {longest} needs them."
