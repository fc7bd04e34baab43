"""Attention in translation: BLEU and chrF by the length of the source, and what is looked at."""

import dataclasses

from jaxgpt.lab.alignment import alignment
from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_curves import ArmCurves
from jaxgpt.lecture.arm_table import POINTS, ArmTable
from jaxgpt.lecture.bleu_gains import Translated, bleu_gains, translated
from jaxgpt.lecture.row import Row

_WITHOUT, _WITH, _TRANSFORMER = "GRU without attention", "GRU with attention", "Transformer"
#: Sentences that are drawn.
_DRAWN = 3


@dataclasses.dataclass(frozen=True)
class Translation(Row):
    """A recurrent encoder-decoder without attention and with it, and a Transformer of as many weights.

    Bahdanau et al. 2015, arXiv 1409.0473, figures 2 and 3.
    """

    place = 2
    title = "Attention in translation"
    claim = (
        "A recurrent model without attention has to keep a whole sentence in one vector. With attention it "
        "looks at the words that it translates: BLEU is 26.75 in place of 17.82, and does not fall with the "
        "length of the sentence (Bahdanau et al. 2015, table 1 and figure 2: English to French, 348 million "
        "words, 1,000 units). Here the models have about 280,000 weights each and a few thousand short "
        "sentences, of which up to three stand one behind another, so that there are long sources."
    )
    files = ("pairs",)

    def arms(self, files):
        base = {
            "task.path": files["pairs"],
            "task.joined": "3",
            "training.eval_every": "0",
            "training.sample_every": "0",
            "training.test_examples": "1000",
        }
        return (
            Arm(_WITHOUT, "translation", base | {"model": "small_rnn_encdec"}),
            Arm(_WITH, "translation", base | {"model": "small_rnn_search"}),
            Arm(_TRANSFORMER, "translation", base | {"model": "small_transformer"}),
        )

    def parts(self, runs, files):
        named = {name: f"{name}; {reached.num_weights(run):,} weights" for name, run in runs.items()}
        lengths = [
            name.removeprefix("BLEU, ")
            for name in reached.evaluation(runs[_WITH]).summary
            if name.startswith("BLEU, ")
        ]

        def values(measure: str) -> dict[str, tuple[float, ...]]:
            return {named[name]: reached.summary(run, measure) for name, run in runs.items()}

        def curves(measure: str) -> ArmCurves:
            found = [values(f"{measure}, {length}") for length in lengths]
            by_length = {name: tuple(one[name] for one in found) for name in named.values()}
            return ArmCurves("length of the source", tuple(lengths), measure, by_length, bounds=POINTS)

        made = {name: translated(runs[name]) for name in (_WITHOUT, _WITH)}
        return {
            "bleu": ArmTable(
                "BLEU",
                values("BLEU"),
                baseline=named[_WITHOUT],
                published={named[_WITHOUT]: "17.82", named[_WITH]: "26.75"},
                where="Bahdanau et al. 2015, table 1, all sentences, RNNencdec-50 and RNNsearch-50",
                bounds=POINTS,
            ),
            "length": curves("BLEU"),
            "chrf": ArmTable("chrF", values("chrF"), baseline=named[_WITHOUT], bounds=POINTS),
            "chrf-length": curves("chrF"),
            "gain": bleu_gains((_WITH, made[_WITH]), (_WITHOUT, made[_WITHOUT]), lengths),
            "alignment": alignment(runs[_WITH], shown(made[_WITH])),
        }


def shown(made: Translated) -> list[str]:
    """The longest sources that the first model translates right, or without such ones the first sources."""
    rows = zip(made.examples, made.texts[0], made.references, strict=True)
    right = [example.prompt for example, text, references in rows if text in references]
    sources = sorted(right, key=lambda source: -len(source.split()))
    return (sources or [example.prompt for example in made.examples])[:_DRAWN]
