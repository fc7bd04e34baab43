"""GPT-2: tasks that models of four sizes were never trained on."""

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from jaxgpt.evaluation.zero_shot.scoring_files import score_file
from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values
from jaxgpt.lecture.zero_shot_files import write_cloze, write_passages
from jaxgpt.runs.run import Run
from jaxgpt.task import Task

_WIDTHS = (16, 32, 64, 128)
#: Radford et al. 2019, table 3: LAMBADA, the Children's Book Test's common nouns, enwik8.
_PUBLISHED = {
    "lambada": ("35.13", "15.60", "10.87", "8.63"),
    "cbt": ("87.65", "92.35", "93.45", "93.30"),
    "bits": ("1.16", "1.01", "0.97", "0.93"),
}
#: Questions of each test at most.
_QUESTIONS = 200
_FILES: Mapping[str, Callable[[str, Path, int], int]] = {"lambada": write_passages, "cbt": write_cloze}
#: The measure of each test: of last words the perplexity, since models of this size write none.
_MEASURES = {"lambada": "perplexity", "cbt": "acc"}


@dataclasses.dataclass(frozen=True)
class ZeroShotSizes(Row):
    """Last words and words left out, asked of language models that were trained to predict text alone.

    Radford et al. 2019, Language Models are Unsupervised Multitask Learners, figure 1 and table 3.
    """

    place = 6
    title = "GPT-2: tasks without training on them"
    claim = (
        "A language model that was trained on text alone answers questions that it was never trained on, and "
        "larger ones mostly answer better (Radford et al. 2019, table 3: 117 to 1,542 million weights). Here "
        "decoders of two layers and four widths have a vocabulary of 512 subwords and see 256 of them at "
        "once. Up to 200 questions of each kind are made from the held-out part of the text. LAMBADA: the "
        "last of 40 words, which occurs earlier among them. Children's Book Test: which of ten words of 20 "
        "lines is left out of the next line; one in ten is right by chance."
    )
    files = ("text",)
    widths: tuple[int, ...] = _WIDTHS

    def shortened(self):
        return dataclasses.replace(self, widths=_WIDTHS[:2])

    def arms(self, files):
        base = text_values(files, num_layers="2", max_length="256", position="rotary") | {
            "tokenizer": "bpe:512",
            "training.batch_size": "6",
            "task.held_out": "0.1",
        }
        return [
            Arm(
                f"width {width}",
                "text",
                base | {"model.d_model": str(width), "model.num_heads": str(max(1, width // 32))},
            )
            for width in self.widths
        ]

    def check(self, files):
        text = _held_out(self.arms(files)[0].task())
        with tempfile.TemporaryDirectory() as folder:
            for test, write in _FILES.items():
                try:
                    write(text, Path(folder) / test, _QUESTIONS)
                except ValueError as error:
                    raise ValueError(f"{files['text']}: {error}") from error

    def parts(self, runs, files):
        names = {f"{name}; {reached.num_weights(run):,} weights": run for name, run in runs.items()}
        found = {test: {name: _scores(run, test) for name, run in names.items()} for test in _FILES}
        bits = {name: reached.bits_a_byte(run) for name, run in names.items()}
        first = next(iter(names))

        def table(measure: str, test: str, values, where: str, **options) -> ArmTable:
            figures = dict(zip(_WIDTHS, _PUBLISHED[test], strict=True))
            published = dict(zip(names, (figures[width] for width in self.widths), strict=True))
            where = f"{where}, by 117, 345, 762 and 1,542 million weights (Radford et al. 2019, table 3)"
            return ArmTable(measure, values, first, published=published, where=where, **options)

        return {
            "last-words": table(
                "perplexity a last word", "lambada", found["lambada"], "LAMBADA", better="less"
            ),
            "left-out-words": table(
                "words left out that are found", "cbt", found["cbt"], "common nouns in percent", unit="share"
            ),
            "loss": table("bits a byte", "bits", bits, "enwik8", better="less"),
        }


def _scores(run: Run, test: str) -> tuple[float, ...]:
    """The measure of each seed in a test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / test
        _FILES[test](_held_out(run.task), path, _QUESTIONS)
        found = score_file(run.models, run.tokenizer, test, str(path))
    return next(one.estimate.per_seed for one in found.measures if one.key == _MEASURES[test])


def _held_out(task: Task) -> str:
    return "".join(example.target for example in task.examples("test"))
