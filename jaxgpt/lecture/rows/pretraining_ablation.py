"""GPT-1's ablation: what pre-training, the auxiliary loss and the Transformer give to labelled tasks."""

import dataclasses

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import POINTS, ArmTable
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values

#: The language models that labelled tasks start from.
_LM, _LSTM_LM, _RANDOM = "language model", "LSTM language model", "random weights"
#: The arms of the ablation: the model that each starts from, and the weight of the auxiliary loss.
_FULL = "full"
ARMS = {
    _FULL: (_LM, "0.5"),
    "no pre-training": (_RANDOM, "0.5"),
    "no auxiliary loss": (_LM, "0"),
    "LSTM": (_LSTM_LM, "0.5"),
}
#: Table 5: the average score of each.
PUBLISHED = {_FULL: "74.7", "no pre-training": "59.9", "no auxiliary loss": "75.0", "LSTM": "69.1"}
#: The experiments, by what they ask.
TASKS = {
    "scrambled": "scrambled",
    "sentence order": "sentence-pairs",
    "genre": "genres",
    "capitals": "truecasing",
}


@dataclasses.dataclass(frozen=True)
class PretrainingAblation(Row):
    """Pre-train on a text, then learn few labels, as table 5 of Radford et al. 2018 takes it apart.

    Each seed of a labelled model starts from the replica of its own seed of a language model.
    """

    place = 4
    title = "GPT-1: what pre-training gives"
    claim = (
        "A Transformer that is pre-trained on text and then fine-tuned scores 74.7 on average over eight "
        "tasks; without pre-training 59.9, without the auxiliary language-model loss 75.0, and as an LSTM "
        "69.1 (Radford et al. 2018, table 5). Here models of 2 layers of width 64 learn 1,000 labelled "
        "examples of each of four tasks: whether words of a sentence were exchanged, which of two sentences "
        "came first, the genre of a synopsis (chance is 50 % of these three), and which words have capitals. "
        "No paragraph that the first two ask about was read in pre-training; of the text that the last asks "
        "about most was, with its capitals."
    )
    files = ("text", "synopses")
    tasks: tuple[str, ...] = tuple(TASKS)

    def shortened(self):
        return dataclasses.replace(self, tasks=("genre", "capitals"))

    def arms(self, files):
        lm = text_values(files, num_layers="2", d_model="64", num_heads="4", max_length="128", dropout="0.1")
        lm |= {
            "task.split_by": "paragraphs",
            "task.held_out": "0.1",
            "tokenizer": "bpe:512",
            "training.steps": "1200",
            "training.batch_size": "16",
        }
        lstm = lm | {"model.mixer": "lstm", "model.position": "none"}
        # One step that changes nothing: random weights of the same seeds behind the same tokenizer.
        still = {
            "training.steps": "1",
            "training.test_examples": "0",
            "optimizer.learning_rate": "1e-30",
            "optimizer.warmup_steps": "0",
            "optimizer.weight_decay": "0",
        }
        return (
            Arm(_LM, "text", lm),
            Arm(_LSTM_LM, "text", lstm),
            Arm(_RANDOM, "text", lm | still),
            *(
                Arm(f"{task}: {arm}", TASKS[task], _labelled(task, weight, files), begins_from=start)
                for task in self.tasks
                for arm, (start, weight) in ARMS.items()
            ),
        )

    def parts(self, runs, files):
        found = {task: {arm: _score(runs[f"{task}: {arm}"], task) for arm in ARMS} for task in self.tasks}
        average = {arm: _mean([found[task][arm] for task in self.tasks]) for arm in ARMS}
        where = "average score of eight tasks, 117 million weights (Radford et al. 2018, table 5)"
        table = ArmTable("average score", average, _FULL, published=PUBLISHED, where=where, bounds=POINTS)
        shown = {"average": table}
        for task, values in found.items():
            shown[task.replace(" ", "-")] = ArmTable(f"{task}: right", values, _FULL, "more", "share")
        loss = {name: reached.bits_a_byte(runs[name]) for name in (_LM, _LSTM_LM)}
        return shown | {"pretraining": ArmTable("bits a byte", loss, _LM, "less")}


def _labelled(task: str, weight: str, files: dict[str, str]) -> dict[str, str]:
    """What fine-tuning has in common, and what a task needs."""
    common = {
        "objective.language_loss_weight": weight,
        "model.labels_from": "each" if task == "capitals" else "last",
        "model.pooler": "false",
        "training.at_most": "1000",
        "training.steps": "400",
        "training.batch_size": "16",
        "training.eval_every": "0",
        "training.test_examples": "1000",
        "optimizer.learning_rate": "1e-3",
        "optimizer.schedule": "linear",
        "optimizer.warmup_steps": "20",
    }
    own = {
        "scrambled": {"task.path": files["text"], "task.exchange": "any", "task.exchanges": "2"},
        "sentence order": {
            "task.path": files["text"],
            "task.pairs": "order",
            "task.max_characters": "120",
        },
        "genre": {"task.path": files["synopses"], "task.characters": "120"},
        "capitals": {"task.path": files["text"], "task.words": "8", "task.max_characters": "60"},
    }
    return common | own[task]


def _mean(values: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The mean over tasks of each seed, in points of 100 as the paper has it."""
    return tuple(100 * sum(each) / len(each) for each in zip(*values, strict=True))


def _score(run, task: str) -> tuple[float, ...]:
    """The share of right labels of each seed; of capitals that of the words."""
    return reached.summary(run, "words tagged right") if task == "capitals" else reached.exact_match(run)
