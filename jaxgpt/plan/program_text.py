"""What a compiled step does, read from XLA's text of it: kernels and collectives.

A computation that a loop runs n times counts n times. The loop over the steps of a chunk is the only one
whose length is no constant; what is in it is one step.
"""

import dataclasses
import re
from collections import Counter, defaultdict

_COLLECTIVES = (
    "all-reduce",
    "all-gather",
    "reduce-scatter",
    "all-to-all",
    "ragged-all-to-all",
    "collective-permute",
    "collective-broadcast",
)
#: What launches nothing of its own.
_FREE = {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "after-all",
    "partition-id",
    "replica-id",
    "opt-barrier",
    "while",
    "call",
    "conditional",
}
_COMPUTATION = re.compile(r"(ENTRY )?%?([\w.\-]+) \(.*\{\s*$")
_INSTRUCTION = re.compile(r"\s+(?:ROOT )?%?([\w.\-]+) = ")
_ARRAY = re.compile(r"\b([a-z]+\d*\w*)\[([\d,]*)\]")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One line: `name = type opcode(operands), attributes`."""

    name: str
    type: str
    opcode: str
    rest: str

    @property
    def operands(self) -> list[str]:
        depth = 0
        for end, character in enumerate(self.rest):
            depth += (character in "({[") - (character in ")}]")
            if depth == 0:
                return re.findall(r"%([\w.\-]+)", self.rest[: end + 1])
        return []

    def called(self, attribute: str) -> str | None:
        found = re.search(rf"\b{attribute}=%?([\w.\-]+)", self.rest)
        return found and found[1]


@dataclasses.dataclass
class Traffic:
    """What one device does in a step.

    Attributes:
      collectives: how many by kind.
      volume: bytes by kind: the larger of what a device puts in and what it gets, of each.
      kernels: `fusion`, `custom-call` and all `other` instructions that launch something.
      open_loops: inner loops of unknown length, which were counted as running once.
    """

    collectives: Counter = dataclasses.field(default_factory=Counter)
    volume: Counter = dataclasses.field(default_factory=Counter)
    kernels: Counter = dataclasses.field(default_factory=Counter)
    open_loops: int = 0

    def to_json(self) -> dict:
        return {
            "collectives": {
                kind: {"count": self.collectives[kind], "bytes": self.volume[kind]}
                for kind in sorted(self.collectives)
            },
            "kernels": {
                "fusions": self.kernels["fusion"],
                "custom_calls": self.kernels["custom-call"],
                "all": sum(self.kernels.values()),
            },
            "loops_of_unknown_length": self.open_loops,
        }


def size(type_text: str) -> int:
    """Bytes of the arrays that a type names, without padding."""
    total = 0
    for name, dimensions in _ARRAY.findall(re.sub(r"\{[^{}]*\}", "", type_text)):
        width = re.search(r"\d+", name)
        bits = int(width[0]) if width else 8 * (name == "pred")
        for dimension in filter(None, dimensions.split(",")):
            bits *= int(dimension)
        total += -(-bits // 8)
    return total


class ProgramText:
    """The computations of a compiled program by name."""

    def __init__(self, text: str):
        self._computations: dict[str, dict[str, Instruction]] = {}
        self._entry = ""
        current: dict[str, Instruction] | None = None
        for line in text.splitlines():
            if current is None:
                if (match := _COMPUTATION.match(line)) and not line.startswith("HloModule"):
                    current = self._computations.setdefault(match[2], {})
                    self._entry = match[2] if match[1] else self._entry
            elif line.startswith("}"):
                current = None
            elif match := _INSTRUCTION.match(line):
                found = _split(match[1], line[match.end() :])
                current[found.name] = found

    def step(self) -> Traffic:
        """Of one step: the loop whose length is an argument, or all where there is none."""
        traffic, steps = Traffic(), self._steps(self._entry)
        for body in steps or [self._entry]:
            self._walk(body, 1, traffic)
        return traffic

    def outside(self) -> Traffic:
        """What a dispatch does once, however many steps it has."""
        traffic, steps = Traffic(), self._steps(self._entry)
        if steps:
            self._walk(self._entry, 1, traffic, without=frozenset(steps))
            traffic.open_loops = 0
        return traffic

    def _steps(self, computation: str) -> list[str]:
        found = []
        for one in self._computations[computation].values():
            if one.opcode == "while" and self._trips(one) is None:
                found.append(one.called("body"))
            elif one.opcode == "call":
                found += self._steps(one.called("to_apply"))
        return found

    def _walk(self, computation: str, times: int, traffic: Traffic, without: frozenset = frozenset()) -> None:
        instructions = self._computations[computation]
        done = defaultdict(str)
        for one in instructions.values():
            if one.opcode.endswith("-done"):
                done[one.operands[0]] = one.type
        for one in instructions.values():
            if one.opcode == "while":
                trips = self._trips(one)
                traffic.open_loops += trips is None
                if one.called("body") not in without:
                    self._walk(one.called("body"), times * (trips or 1), traffic, without)
            elif one.opcode == "call":
                self._walk(one.called("to_apply"), times, traffic, without)
            elif one.opcode == "conditional":
                for branch in re.findall(r"%([\w.\-]+)", one.rest.partition("branch_computations=")[2]):
                    if branch in self._computations:
                        self._walk(branch, times, traffic, without)
            if one.opcode not in _FREE and not one.opcode.endswith("-done"):
                kind = one.opcode if one.opcode in ("fusion", "custom-call") else "other"
                traffic.kernels[kind] += times
            self._exchange(one, instructions, done, times, traffic)

    def _exchange(self, one: Instruction, instructions, done, times: int, traffic: Traffic) -> None:
        """Count a collective, or those inside of a fusion."""
        kind = one.opcode.removesuffix("-start")
        if kind in _COLLECTIVES:
            given = sum(size(instructions[name].type) for name in one.operands if name in instructions)
            got = size(done[one.name]) if one.opcode != kind else size(one.type)
            traffic.collectives[kind] += times
            traffic.volume[kind] += times * max(given, got)
        elif one.opcode in ("fusion", "async-start") and (inner := one.called("calls")) in self._computations:
            found = Traffic()
            computation = self._computations[inner]
            for part in computation.values():
                self._exchange(part, computation, defaultdict(str), times, found)
            # A TPU scatters a sum as a fusion of that name.
            scattered = "all-reduce-scatter" in inner
            for kind in found.collectives:
                name = "reduce-scatter" if scattered and kind == "all-reduce" else kind
                traffic.collectives[name] += found.collectives[kind]
                traffic.volume[name] += found.volume[kind]

    def _trips(self, loop: Instruction) -> int | None:
        """How often a loop runs: as XLA notes it, or the constant that its counter is compared with."""
        if match := _TRIPS.search(loop.rest):
            return int(match[1])
        condition = self._computations[loop.called("condition")]
        compared = [
            one for one in condition.values() if one.opcode == "compare" and "direction=LT" in one.rest
        ]
        if len(compared) != 1:
            return None
        limit = condition.get(compared[0].operands[1])
        if limit is None or limit.opcode != "constant":
            return None
        return int(limit.rest.partition(")")[0].strip("("))


def _split(name: str, text: str) -> Instruction:
    """`type opcode(...)...`, where a type may hold blanks inside of brackets."""
    depth, end = 0, 0
    while depth or text[end] != " ":
        depth += (text[end] in "({[") - (text[end] in ")}]")
        end += 1
    opcode, _, rest = text[end + 1 :].partition("(")
    return Instruction(name, text[:end], opcode, "(" + rest)
