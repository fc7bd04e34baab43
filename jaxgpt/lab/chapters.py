"""What the page of some runs tells: a function for each chapter, from what is read of the runs."""

from collections.abc import Callable, Mapping, Sequence

from jaxgpt.lab.attention_maps import attention
from jaxgpt.lab.attributions import attributions
from jaxgpt.lab.board_maps import board_map
from jaxgpt.lab.diagram import diagram
from jaxgpt.lab.faithfulness import faithfulness
from jaxgpt.lab.frequencies import frequencies
from jaxgpt.lab.geometry import geometry
from jaxgpt.lab.lens import lens
from jaxgpt.lab.loss_curve import loss_curve
from jaxgpt.lab.loss_matrix import loss_matrix
from jaxgpt.lab.material import Reading
from jaxgpt.lab.part import Part
from jaxgpt.lab.place_maps import place_map
from jaxgpt.lab.probes import probes
from jaxgpt.lab.report import Chapter
from jaxgpt.lab.samples import samples
from jaxgpt.lab.surprise import entropy, next_tokens
from jaxgpt.lab.variability import variability

#: Prompts, each with the text of a token that might follow.
Prompts = Sequence[tuple[str, str]]
Readings = Sequence[Reading]
#: Texts of the last model that are compared with each other, and their tokens.
_TEXTS, _TOKENS = 20, 300


def corpora(readings: Readings, prompts: Prompts) -> Chapter:
    """The characters of the texts."""
    return Chapter(
        "What the texts are made of",
        "How often each character occurs in the training texts, the 80 most frequent of all together.",
        {"frequencies": frequencies({one.name: one.training for one in readings})},
    )


def models(readings: Readings, prompts: Prompts) -> Chapter:
    """The models as diagrams; one, where all are made alike."""
    alike = len({one.subject.models[0].config for one in readings}) == 1
    return Chapter(
        "The model",
        "Drawn from the model itself: each part with its shapes and its parameters, and the taps, by which "
        "activations are read.",
        *_by_model("model", readings[:1] if alike else readings, lambda one: diagram(one.run)),
    )


def writing(readings: Readings, prompts: Prompts) -> Chapter:
    """What the models write at every checkpoint."""
    begun = [prompt for prompt, _ in prompts]

    def made(one: Reading) -> Part:
        return samples(one.source, begun, seeds=(0, 1), corpus=one.training)

    return Chapter(
        "What it writes, as it learns",
        "The same prompts and seeds at every checkpoint. A word is found if the training text has it.",
        *_by_model("samples", readings, made),
    )


def variety(readings: Readings, prompts: Prompts) -> Chapter:
    """How varied the last models write."""

    def made(one: Reading) -> Part:
        written = samples(one.subject, [prompts[0][0]], seeds=range(_TEXTS), tokens=_TOKENS)
        return variability(written.last, one.training, one.held_out)

    return Chapter(
        "How varied it writes",
        f"{_TEXTS} texts by each model, {_TOKENS} tokens long, beside held-out passages as long.",
        *_by_model("variability", readings, made),
    )


def losses(readings: Readings, prompts: Prompts) -> Chapter:
    """Losses over training."""
    return Chapter(
        "Loss over training",
        "The loss at every checkpoint, on text of the training and on text held out.",
        *_by_model("loss", readings, lambda one: loss_curve(one.source, one.texts)),
    )


def across(readings: Readings, prompts: Prompts) -> Chapter:
    """How well every model predicts every text."""
    held_out = {one.name: one.held_out for one in readings}
    known = [
        f" {one.name} was trained on text that is held out of {other.name}: that loss is too low."
        for one in readings
        for other in readings
        if one.has_seen(other.held_out)
    ]
    return Chapter(
        "Losses across texts",
        "How well each model predicts each held-out text. A character that is not in a model's vocabulary is "
        f"left out, and the share of these is told.{''.join(known)}",
        {"losses": loss_matrix({one.name: one.run for one in readings}, held_out)},
    )


def sureness(readings: Readings, prompts: Prompts) -> Chapter:
    """The entropy of the next token over training."""
    return Chapter(
        "How sure it is",
        "The mean entropy of the next token over held-out text, at every checkpoint. The dashed line is log2 "
        "V, the most there can be.",
        *_by_model("entropy", readings, lambda one: entropy(one.source, one.texts["held out"])),
    )


def expected(readings: Readings, prompts: Prompts) -> Chapter:
    """The next token behind the prompts."""
    return Chapter(
        "The next token",
        "The likeliest tokens behind the same texts at several checkpoints. Each further text goes on with "
        "what the last checkpoint finds likeliest.",
        *_by_prompt("next", readings, prompts, lambda one, prompt, _: next_tokens(one.source, prompt)),
    )


def reasons(readings: Readings, prompts: Prompts) -> Chapter:
    """What speaks for the targets."""

    def made(one: Reading, prompt: str, target: str) -> Part:
        return attributions(one.run, prompt, target)

    return Chapter(
        "What speaks for a token",
        "A token that speaks for the target is blue, one that speaks against it orange. The methods "
        "disagree; the next chapter says which to trust.",
        *_by_prompt("attribution", readings, prompts, made),
    )


def trust(readings: Readings, prompts: Prompts) -> Chapter:
    """The faithfulness of the methods."""
    return Chapter(
        "Which method to trust",
        "The tokens with the highest scores are taken away, or given back, and the probability of the target "
        "is read. A method that is right does better than random orders.",
        *_by_model("faithfulness", readings, lambda one: faithfulness(one.run, one.asked)),
    )


def looks(readings: Readings, prompts: Prompts) -> Chapter:
    """Attention."""
    return Chapter(
        "What looks at what",
        "How much each token looks at each other one, a picture for each head.",
        *_by_prompt(
            "attention", readings, prompts, lambda one, prompt, _: attention(one.source, prompt, steps=2)
        ),
    )


def layers(readings: Readings, prompts: Prompts) -> Chapter:
    """The logit lens."""
    return Chapter(
        "What each layer would write",
        "The logit lens: what the last norm and the head make of each layer's output.",
        *_by_prompt("lens", readings, prompts, lambda one, prompt, _: lens(one.run, prompt)),
    )


def numbers(readings: Readings, prompts: Prompts) -> Chapter:
    """The embeddings of numbers."""
    return Chapter(
        "How numbers lie",
        "The embeddings of the digits, or of groups of digits: their first two principal components, and "
        "their Fourier components as a function of the number.",
        *_by_model("numbers", readings, lambda one: geometry(one.run)),
    )


def worked_out(readings: Readings, prompts: Prompts) -> Chapter:
    """Probes of what the task knows to be worked out on the way."""

    def made(one: Reading) -> Part:
        found = one.probed
        return probes(one.run, found.texts, found.labels, types=found.types)

    return Chapter(
        "What is worked out where",
        "How well a linear probe tells each label from each layer, above each token. The control task "
        "gives every type of input a random label: what a probe could learn by heart.",
        *_by_model("probes", readings, made),
    )


def places(readings: Readings, prompts: Prompts) -> Chapter:
    """Where each place looks, of runs whose tasks give texts for it."""
    return Chapter(
        "Where each place looks",
        "The mean attention over texts of one length. A row is the place that is written, a column one that "
        "is looked at. A symbol is decided by the token before it, so a row has the attention of that token.",
        *_by_model("places", readings, lambda one: place_map(one.source, one.attended)),
    )


def boards(readings: Readings, prompts: Prompts) -> Chapter:
    """Where each cell looks, of runs whose tasks give boards."""
    return Chapter(
        "Where each cell of a board looks",
        "The same of texts that are boards, at the last step. A weight is divided by what equal attention to "
        "all earlier cells would give: 1 is as much as equal.",
        *_by_model("boards", readings, lambda one: board_map(one.subject, one.attended)),
    )


#: In the order of the page: those about running text, those about any run, those about runs whose task knows
#: what is worked out on the way, and those about texts that have places, and boards.
OF_TEXTS = (corpora, writing, variety, losses, across, sureness)
OF_RUNS = (models, expected, reasons, trust, looks, layers, numbers)
OF_PROBED = (worked_out,)
OF_ATTENDED = (places,)
OF_BOARDS = (boards,)


def _by_model(
    stem: str, readings: Readings, made: Callable[[Reading], Part]
) -> tuple[Mapping[str, Part], Mapping[str, Sequence[str]]]:
    """A part for each run."""
    parts = {f"{stem}-{one.name}": made(one) for one in readings}
    return parts, {"model": [one.name for one in readings]}


def _by_prompt(
    stem: str, readings: Readings, prompts: Prompts, made: Callable[[Reading, str, str], Part]
) -> tuple[Mapping[str, Part], Mapping[str, Sequence[str]]]:
    """A part for each run and prompt."""
    parts = {
        f"{stem}-{one.name}-{number}": made(one, prompt, target)
        for one in readings
        for number, (prompt, target) in enumerate(prompts, start=1)
    }
    return parts, {"model": [one.name for one in readings], "prompt": [prompt for prompt, _ in prompts]}
