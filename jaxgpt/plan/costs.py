"""What a training costs: operations, device hours, money and energy, each with its formula.

Operations are the model's own count, `jaxgpt.training.flops`.
"""

import dataclasses
import math
from typing import Any

from jaxgpt.core.usage import UsageError
from jaxgpt.plan.fitting import amount
from jaxgpt.plan.peaks import PEAKS, Peak
from jaxgpt.plan.targets import Target

#: Of the peak that a training keeps: well-tuned ones report 0.3 to 0.6 (Chowdhery et al. 2022, table 3).
SHARE = 0.4


@dataclasses.dataclass(frozen=True)
class Rates:
    """What a device hour gives and takes.

    Attributes:
      price: dollars for an hour of one device.
      share: of the peak that the training keeps, between 0 and 1.
      peak: floating-point operations a second of one device.
      watts: that one device draws; None where it is not known.
    """

    price: float
    share: float
    peak: float
    watts: float | None

    @classmethod
    def of(
        cls,
        target: Target,
        price: float,
        *,
        share: float | None = None,
        peak: float | None = None,
        watts: float | None = None,
    ) -> "Rates":
        """Those of a target's devices, where nothing else is given.

        Raises:
          UsageError: for a share above 1, or a target whose peak is not known and not given.
        """
        share = SHARE if share is None else share
        if not 0 < share <= 1:
            raise UsageError(f"--share {share:g}: a part of the peak, above 0 and at most 1")
        known = PEAKS.get(target.kind, Peak(0.0))
        if not (peak or known.flops):
            raise UsageError(
                f"--price: the peak of {target.kind} is not known; give --peak, in TFLOP/s of one device"
            )
        return cls(price, share, peak or known.flops, watts or known.watts)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a training costs.

    Attributes:
      operations: floating-point operations in all.
      formula: of the operations, in words.
      devices: that work at once.
    """

    steps: int
    tokens: int
    operations: float
    formula: str
    devices: int
    rates: Rates

    @property
    def device_hours(self) -> float:
        """Hours of one device, or so many devices for one hour."""
        return self.operations / (self.rates.share * self.rates.peak) / 3600

    @property
    def dollars(self) -> float:
        """For all device hours."""
        return self.device_hours * self.rates.price

    @property
    def kilowatt_hours(self) -> float | None:
        """Of the devices alone; None where their power is not known."""
        return None if self.rates.watts is None else self.device_hours * self.rates.watts / 1000

    def lines(self) -> list[str]:
        """For a terminal, each figure with its formula."""
        rates, hours = self.rates, self.device_hours
        peak = f"{rates.peak / 1e12:,.5g} TFLOP/s"
        at_once = f"; {_figure(hours / self.devices)} hours on {self.devices} at once"
        energy = "not known: --watts sets what a device draws"
        if self.kilowatt_hours is not None:
            energy = (
                f"{_figure(self.kilowatt_hours)} kWh = device hours x {rates.watts:g} W, the devices alone"
            )
        return [
            f"training     {self.steps:,} steps, {self.tokens:,} tokens",
            f"work         {amount(self.operations)} = {self.formula}",
            f"time         {_figure(hours)} device hours = work / ({rates.share:.4g} x {peak} at most)"
            + (at_once if self.devices > 1 else ""),
            f"money        ${_figure(self.dollars)} = device hours x ${rates.price:g}",
            f"energy       {energy}",
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it, in the units that the names say."""
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "operations": self.operations,
            "formula": self.formula,
            "price_a_device_hour": self.rates.price,
            "share_of_peak": self.rates.share,
            "peak_flops": self.rates.peak,
            "watts": self.rates.watts,
            "device_hours": self.device_hours,
            "dollars": self.dollars,
            "kilowatt_hours": self.kilowatt_hours,
        }


def cost(facts: dict[str, Any], devices: int, rates: Rates) -> Cost:
    """What the training costs that a compiling process told the facts of.

    Args:
      facts: as `compiling.Compiler.facts` answers them.

    Raises:
      UsageError: if the number of steps follows from data that are not there.
    """
    steps = facts["steps"]
    if steps is None:
        raise UsageError("--price: training.epochs counts data that are not there; give training.steps")
    tokens, operations = (steps * facts[f"{name}_a_step"] for name in ("tokens", "model_flops"))
    return Cost(steps, tokens, operations, facts["model_flops_formula"], devices, rates)


def _figure(value: float) -> str:
    """A number of hours, dollars or kWh: to the whole from 100 on, below to three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{max(digits, 0)}f}"
