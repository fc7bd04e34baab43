"""BERT: hidden words and next sentences, then features of frozen layers beside fine-tuning."""

import dataclasses
import itertools
from collections.abc import Mapping

from jaxgpt.lab.feature_ladder import FINE_TUNED, FRESH, READINGS
from jaxgpt.lab.ladder_training import LadderConfig
from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import SHORTER, Arm
from jaxgpt.lecture.arm_table import POINTS, ArmTable
from jaxgpt.lecture.kept_ladders import kept_ladder
from jaxgpt.lecture.row import Row
from jaxgpt.task import Task

_PRETRAINED = "hidden tokens and next sentences"
_PIECES = {"task.words": "8", "task.max_characters": "60"}
#: Devlin et al. 2019, table 7, in the order of `READINGS`; then fine-tuning.
_PUBLISHED = ("91.0", "94.9", "95.6", "95.9", "96.1", "95.5", "96.4")
_LADDER = LadderConfig(
    labelled=400,
    validation=150,
    test=400,
    hidden=32,
    steps=200,
    batch_size=32,
    learning_rates=(1e-3, 4e-3),
    seeds=1,
)


@dataclasses.dataclass(frozen=True)
class FrozenFeatures(Row):
    """An encoder pretrained as BERT was, and six ways to read its frozen layers beside fine-tuning it.

    Devlin et al. 2019, arXiv 1810.04805, sections 3.1 and 5.3, table 7.
    """

    place = 5
    title = "BERT: features of frozen layers, and fine-tuning"
    claim = (
        "BERT learns from text alone: which tokens were hidden (15 % of them: 80 % as a mask, 10 % as "
        "another token, 10 % as they are), and whether a sentence follows another. Then all its weights are "
        "fine-tuned on few labels; or none are, and a small model reads the frozen layers. The last four "
        "side by side come within 0.3 of fine-tuning (Devlin et al. 2019, table 7: names of CoNLL-2003). "
        "Here an encoder of four layers and width 64 reads characters; its norms stand before its layers, "
        "and its positions are rotary, unlike BERT's. From 400 pieces of up to eight lower-cased words, "
        "taggers learn which of them had capitals: a biLSTM of two layers, as in the paper. Each seed is "
        "another pretraining, with its own taggers. Pretraining read neighbouring sentences of up to 120 "
        "characters as they are written, some of those that are asked about among them."
    )
    files = ("text",)
    ladder: LadderConfig = _LADDER

    def arms(self, files):
        values = {
            "task.path": files["text"],
            "task.max_characters": "120",
            "tokenizer": "characters",
            "model.num_layers": "4",
            "model.max_length": "128",
            "model.wiring": "pre",
            "model.position": "rotary",
            "optimizer.learning_rate": "3e-3",
            "training.steps": "700",
            "training.batch_size": "24",
            "training.eval_every": "0",
            "training.sample_every": "0",
            "training.test_examples": "500",
        }
        return (Arm(_PRETRAINED, "bert-pretraining", values),)

    def shortened(self):
        ladder = dataclasses.replace(self.ladder, steps=self.ladder.steps // SHORTER)
        return dataclasses.replace(self, ladder=ladder)

    def check(self, files):
        ladder = self.ladder
        needed = {"train": ladder.labelled, "validation": ladder.validation, "test": ladder.test}
        for split, count in needed.items():
            found = len(list(itertools.islice(_tagged(files).examples(split), count)))
            if found < count:
                raise ValueError(
                    f"{files['text']}: {found} of its pieces are for {split}, and {count} are needed; give a "
                    "longer text"
                )

    def parts(self, runs, files):
        run = runs[_PRETRAINED]
        ladders = [
            kept_ladder(run, seed, _tagged(files), dataclasses.replace(self.ladder, seed=seed))
            for seed in range(len(run.models))
        ]
        # In percent, with Student's t, as the ladder of the laboratory: no seed is near a bound.
        right = {
            rungs[0].name: tuple(100 * share for rung in rungs for share in rung.right)
            for rungs in zip(*(ladder.rungs for ladder in ladders), strict=True)
        }
        chance = f"The most frequent tag is right for {100 * ladders[0].chance:.1f} % of the words"
        return {
            "next-sentence": ArmTable(
                "next sentences told from others",
                {_PRETRAINED: reached.exact_match(run)},
                unit="share",
            ),
            "ladder": ArmTable(
                "words tagged right, %",
                {name: right[name] for name in (FRESH, *READINGS, FINE_TUNED)},
                FINE_TUNED,
                published=dict(zip((*READINGS, FINE_TUNED), _PUBLISHED, strict=True)),
                where="F1 of names on the development set of CoNLL-2003, BERT base (Devlin et al. 2019, "
                f"table 7). {chance}",
                bounds=POINTS,
            ),
        }


def _tagged(files: Mapping[str, str]) -> Task:
    """The words of the text, tagged by their capitals."""
    return Arm("", "truecasing", _PIECES | {"task.path": files["text"]}).task()
