"""BART's table 1: pretraining tasks compared."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, NamedTuple

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.row import Row

Kind = Literal["decoder", "encoder", "both"]

#: The kinds of model, of about as many weights.
_KINDS: Mapping[Kind, dict[str, str]] = {
    "decoder": {"training.batch_size": "16"},
    "encoder": {"model.kind": "encoder", "training.batch_size": "16"},
    # Texts are cut shorter, since noise may lengthen them: so more of them. Positions are added to the
    # tokens, by which the decoder finds its place in the source.
    "both": {
        "model.kind": "encoder_decoder",
        "model.num_layers": "1",
        "model.position": "sinusoidal",
        "training.batch_size": "24",
        "objective": "denoising",
        "objective.copies": "2",
    },
}
#: One step that changes nothing: random weights of the same seeds behind the same tokenizer.
_STILL = {
    "training.steps": "1",
    "optimizer.learning_rate": "1e-30",
    "optimizer.warmup_steps": "0",
    "optimizer.weight_decay": "0",
}
_MASKED = {"objective": "masked", "objective.tokens": "random"}


class _Published(NamedTuple):
    """Figures of Lewis et al., table 1: F1 on SQuAD 1.1, accuracy on MNLI, perplexity on CNN/DM."""

    squad: str
    mnli: str
    cnn: str


class Start(NamedTuple):
    """The model that the three tasks start from: its kind, and the fields of its pretraining."""

    kind: Kind
    values: Mapping[str, str]
    published: _Published | None = None


def _noise(name: str, *published: str) -> Start:
    return Start("both", {"objective.noise": name}, _Published(*published))


_GPT, _BART = "decoder: next token", "both stacks: infilling and permutation"
STARTS: Mapping[str, Start] = {
    "decoder: random weights": Start("decoder", _STILL),
    _GPT: Start("decoder", {}, _Published("76.7", "80.1", "6.56")),
    "encoder: random weights": Start("encoder", _MASKED | _STILL),
    "encoder: masked tokens": Start("encoder", _MASKED, _Published("90.0", "83.5", "7.06")),
    "encoder: permuted order": Start(
        "encoder", {"objective": "permuted"}, _Published("89.1", "83.7", "6.96")
    ),
    "encoder: masked, four ways to see": Start(
        "encoder", {"objective": "multitask"}, _Published("89.2", "82.4", "6.74")
    ),
    "both stacks: random weights": Start("both", _STILL),
    "both stacks: masked span": _noise("masked_span", "87.0", "82.1", "6.19"),
    "both stacks: token masking": _noise("token_masking", "90.4", "84.1", "6.10"),
    "both stacks: token deletion": _noise("token_deletion", "90.4", "84.1", "5.87"),
    "both stacks: text infilling": _noise("text_infilling", "90.8", "84.0", "5.83"),
    "both stacks: document rotation": _noise("document_rotation", "77.2", "75.3", "10.59"),
    "both stacks: sentence permutation": _noise("sentence_permutation", "85.4", "81.5", "7.89"),
    _BART: _noise("bart", "90.8", "83.8", "5.41"),
}
#: Those of a quick look: random weights and one pretraining of each kind of model.
_FEW = (
    "decoder: random weights",
    _GPT,
    "encoder: random weights",
    "encoder: masked tokens",
    "both stacks: random weights",
    _BART,
)
#: The tasks, by their experiments.
_CAPITALS, _SCRAMBLED, _MISSPELLED = "truecasing", "scrambled", "misspelled"


@dataclasses.dataclass(frozen=True)
class PretrainingTasks(Row):
    """Models that are pretrained on one text in eleven ways, at equal FLOPs, and then learn three tasks.

    Lewis et al. 2020, arXiv 1910.13461, section 4 and table 1. An encoder cannot write: to do so it becomes
    that of an encoder-decoder, with a new decoder.
    """

    place = 8
    title = "BART: which task to pretrain on"
    claim = (
        "GPT predicts the next token and BERT hidden ones; BART restores a text from any noise, with an "
        "encoder and a decoder. Infilling serves best, masking and deletion nearly as well, and rotation or "
        "permutation alone badly. A decoder alone is the worst where both sides of a word count, as in SQuAD "
        "(Lewis et al. 2020, table 1). Here models of characters, of width 64, are pretrained with as many "
        "operations as 300 steps of 2,048 characters are for a decoder. Decoders and encoders have two "
        "layers; where both are, each has one. Then they learn from 3,000 examples which words had capitals, "
        "whether words of a sentence were exchanged (chance is 50 %), and to write misspelled words right; "
        "for this an encoder gets a new decoder of one layer. Models of one kind differ in nothing but what "
        "they were pretrained on; between kinds the model differs, too. Pretraining read most of the text "
        "that is asked about, as it is written."
    )
    files = ("text",)
    starts: tuple[str, ...] = tuple(STARTS)

    def shortened(self):
        return dataclasses.replace(self, starts=_FEW)

    def arms(self, files):
        text = {"task.path": files["text"], "training.eval_every": "0"}
        base = text | {
            "task.split_by": "blocks",
            "tokenizer": "characters",
            "training.steps": "300",
            "training.sample_every": "0",
            "training.test_examples": "0",
            "model.num_layers": "2",
            "model.d_model": "64",
            "model.num_heads": "4",
            "model.max_length": "128",
            "model.position": "rotary",
            "model.init_std": "none",
        }
        tuned = text | {
            "training.at_most": "3000",
            "training.batch_size": "32",
            "optimizer.schedule": "linear",
            "optimizer.warmup_steps": "20",
        }
        labelled = tuned | {"optimizer.learning_rate": "1e-3", "training.test_examples": "1000"}
        capitals = labelled | {
            "task.words": "8",
            "task.max_characters": "60",
            "model.labels_from": "each",
            "training.steps": "100",
        }
        scrambled = labelled | {
            "task.exchange": "any",
            "task.exchanges": "2",
            "task.max_characters": "100",
            "task.held_out": "0.1",
            "model.labels_from": "last",
            "model.pooler": "false",
            "training.steps": "150",
        }
        misspelled = tuned | {
            "optimizer.learning_rate": "2e-3",
            "training.steps": "180",
            "training.test_examples": "300",
        }
        return (
            *(_pretrained(name, STARTS[name], base) for name in self.starts),
            *(_tuned(_CAPITALS, name, capitals) for name in self.starts),
            *(_tuned(_SCRAMBLED, name, scrambled) for name in self.starts),
            *(_tuned(_MISSPELLED, name, misspelled | _writing(STARTS[name])) for name in self.starts),
        )

    def parts(self, runs, files):
        def found(task: str, measure: str, score, column: str, where: str) -> ArmTable:
            values = {name: score(runs[_run(task, name)]) for name in self.starts}
            shown = {name: STARTS[name].published for name in self.starts}
            told = {name: getattr(published, column) for name, published in shown.items() if published}
            where += " (Lewis et al. 2020, table 1; its models have 12 layers of width 768)"
            return ArmTable(measure, values, _BART, unit="share", published=told, where=where)

        return {
            "capitals": found(
                _CAPITALS, "all capitals of a line right", reached.exact_match, "squad", "F1 on SQuAD 1.1"
            ),
            "scrambled": found(
                _SCRAMBLED, "sentences labelled right", reached.exact_match, "mnli", "accuracy on MNLI"
            ),
            "misspelled": found(
                _MISSPELLED,
                "misspelled words written right",
                lambda run: reached.summary(run, "misspelled words right"),
                "cnn",
                "perplexity on CNN/DM, less is better",
            ),
        }


def _pretrained(name: str, start: Start, base: Mapping[str, str]) -> Arm:
    """All cost as much as the decoder's training, but those that stay random."""
    values = base | _KINDS[start.kind] | start.values
    cost = "" if name == _GPT or values["training.steps"] == "1" else _GPT
    return Arm(name, "text", values, as_costly_as=cost)


def _tuned(task: str, start: str, values: Mapping[str, str]) -> Arm:
    return Arm(_run(task, start), task, values, begins_from=start)


def _run(task: str, start: str) -> str:
    return f"{task}, {start}"


def _writing(start: Start) -> dict[str, str]:
    """The fields that add a decoder to an encoder."""
    if start.kind != "encoder":
        return {}
    return {"model.kind": "encoder_decoder", "model.encoder_layers": "2", "model.num_layers": "1"}
