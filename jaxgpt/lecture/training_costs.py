"""The cost of one training of a known model, beside published ranges."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import NamedTuple

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.lab.part import Part
from jaxgpt.plan import costs, targets
from jaxgpt.plan.compiling import Compiler
from jaxgpt.plan.costs import Cost, Rates
from jaxgpt.runs import experiments, run_weights

#: Trainings until a model is published: two configurations, ten runs of each (Sharir et al. 2020).
RUNS = 20
_COLORS = (plots.GREY, plots.BLUE, plots.ORANGE, plots.GREEN)


class Training(NamedTuple):
    """A training, and its published cost.

    Attributes:
      values: fields of the experiment `text` to set, as text by dotted path.
      vocabulary: ids; None: those of the model's own tokenizer.
      low, high: dollars, of one run and of all.
    """

    values: Mapping[str, str]
    vocabulary: int | None
    low: float
    high: float


class Device(NamedTuple):
    """A device, and dollars for an hour of it."""

    target: str
    price: float


@dataclasses.dataclass(frozen=True)
class TrainingCosts(Part):
    """Dollars of one run and of twenty, by the size of the model and the device.

    Attributes:
      published: dollars of one run and of all, by the name of the size.
      found: of each device, by the name of the size.
    """

    published: Mapping[str, tuple[float, float]]
    found: Mapping[str, Mapping[str, Cost]]

    @classmethod
    def of(cls, trainings: Mapping[str, Training], devices: Mapping[str, Device]) -> "TrainingCosts":
        """The costs of trainings on devices; nothing is compiled, and no weights are made.

        Raises:
          ValueError: if a field does not fit.
        """
        found: dict[str, dict[str, Cost]] = {}
        for name, one in trainings.items():
            experiment = run_weights.override(experiments.find("text"), one.values, begin=True)
            facts = Compiler(experiment, None, one.vocabulary, own_data=False).facts()
            found[name] = {}
            for label, device in devices.items():
                target = targets.parse(device.target)
                found[name][label] = costs.cost(facts, target.count, Rates.of(target, device.price))
        return cls({name: (one.low, one.high) for name, one in trainings.items()}, found)

    def rows(self):
        header = ("size", "device", "operations", "device hours", "dollars", "dollars of twenty runs", "kWh")
        return header, (
            (
                name,
                device,
                cost.operations,
                cost.device_hours,
                cost.dollars,
                RUNS * cost.dollars,
                cost.kilowatt_hours,
            )
            for name, by_device in self.found.items()
            for device, cost in by_device.items()
        )

    def table(self) -> Table:
        """A row a size."""
        devices = list(next(iter(self.found.values())))
        rows = tuple(
            (
                Entry(name),
                Entry(" to ".join(map(_dollars, self.published[name]))),
                *(
                    Entry(f"{_dollars(dollars)} to {_dollars(RUNS * dollars)}")
                    for dollars in (by_device[device].dollars for device in devices)
                ),
            )
            for name, by_device in self.found.items()
        )
        caption = f"Dollars of one run, and of {RUNS} until a model is published."
        return Table("What a training costs", caption, ("size", "published", *devices), rows)

    def summary(self) -> str:
        device = next(iter(next(iter(self.found.values()))))
        told = "; ".join(
            f"{name} {_dollars(by_device[device].dollars)}, published from {_dollars(low)}"
            for (name, by_device), (low, _) in zip(self.found.items(), self.published.values(), strict=True)
        )
        return f"One run on {device}: {told}."

    def blocks(self):
        return [*super().blocks(), self.table()]

    def plot(self):
        """A group of lines a size: from one run to twenty."""
        devices = list(next(iter(self.found.values())))
        step = 0.66 / (1 + len(devices))
        figure, (axes,) = plots.new_figure(6.4, 1.2 + 0.9 * len(self.found))
        for group, (name, by_device) in enumerate(reversed(self.found.items())):
            ranges = [self.published[name]]
            ranges += [(by_device[one].dollars, RUNS * by_device[one].dollars) for one in devices]
            for place, ((low, high), color) in enumerate(zip(ranges, itertools.cycle(_COLORS), strict=False)):
                label = plots.label(("published", *devices)[place]) if group == 0 else None
                at = [group + step * (len(devices) / 2 - place)] * 2
                axes.plot([low, high], at, "-o", color=color, linewidth=3, markersize=5, label=label)
        axes.set_xscale("log")
        axes.set_yticks(range(len(self.found)), list(reversed(self.found)))
        axes.set_ylim(-0.5, len(self.found) - 0.5)
        axes.set_xlabel(f"dollars, one run to {RUNS}")
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        return figure


def _dollars(value: float) -> str:
    """Dollars to three digits, with k and m for thousands and millions; cents below ten."""
    if value < 9.995:
        return f"${value:.2f}"
    rounded = float(f"{value:.3g}")
    for size, unit in ((1e6, "m"), (1e3, "k")):
        if rounded >= size:
            return f"${rounded / size:.10g}{unit}"
    return f"${rounded:.10g}"
