"""GPT-3: what models of three sizes learn from examples in the prompt."""

import dataclasses
from collections.abc import Mapping, Sequence

from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_curves import ArmCurves
from jaxgpt.lecture.row import Row
from jaxgpt.runs.run import Run

_WIDTHS = (16, 32, 64)
_EXPERIMENTS = {"maps": "in-context", "words": "in-context-words"}


@dataclasses.dataclass(frozen=True)
class InContext(Row):
    """Accuracy against the examples shown, by width, of rules that differ from prompt to prompt.

    Brown et al. 2020, arXiv 2005.14165, figure 1.2.
    """

    place = 7
    title = "GPT-3: learning from examples in the prompt"
    claim = (
        "A language model can take up a task from examples in its prompt, without any training on it, and "
        "larger models gain more from each example (Brown et al. 2020, figure 1.2: 1.3, 13 and 175 thousand "
        "million weights). Here decoders of 4 layers and three widths read rows of examples: of maps a x + b "
        "mod 10, with another a and b in each row, or of relations of words, such as the last letter. They "
        "are asked after 0 to 16 examples. The best possible is exact: the likeliest answer for one who "
        "knows which rules there are, by Bayes' rule. Looking up repeats what was shown and guesses the rest."
    )

    widths: tuple[int, ...] = _WIDTHS

    def shortened(self):
        return dataclasses.replace(self, widths=_WIDTHS[:2])

    def arms(self, files):
        return [
            Arm(f"{rules}, {_name(width)}", experiment, _model(width))
            for rules, experiment in _EXPERIMENTS.items()
            for width in self.widths
        ]

    def parts(self, runs, files):
        return {rules: _curves(runs, rules, self.widths) for rules in _EXPERIMENTS}


def _name(width: int) -> str:
    return f"width {width}"


def _model(width: int) -> dict[str, str]:
    return {"model.d_model": str(width), "model.num_heads": str(width // 16), "training.eval_every": "0"}


def _curves(runs: Mapping[str, Run], rules: str, widths: Sequence[int]) -> ArmCurves:
    of_rules = {width: runs[f"{rules}, {_name(width)}"] for width in widths}
    first = of_rules[widths[0]]
    groups = {int(row.group.split()[0]): row.group for row in reached.evaluation(first).groups}
    shots = tuple(sorted(groups))
    values = {
        f"{_name(width)}; {reached.num_weights(run):,} weights": tuple(
            reached.exact_match(run, groups[count]) for count in shots
        )
        for width, run in of_rules.items()
    }
    references = {
        name: tuple(reached.score(first, name, groups[count])[0] for count in shots)
        for name in ("best possible", "by looking up")
    }
    return ArmCurves(
        "examples in the prompt",
        shots,
        f"right answers, {rules}",
        values,
        unit="share",
        references=references,
    )
