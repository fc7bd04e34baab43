"""The process that compiles: it reads one request a line and answers each with one line.

It is a process of its own because what JAX finds when it starts (simulated devices, plugins) is fixed then,
because a compilation cannot be interrupted from within, and because a compiler that fails takes its process
with it.
"""

import dataclasses
import json
import math
import os
import queue
import re
import sys
import threading
import time
from typing import Any

import jax
import numpy as np
from jax.errors import JaxRuntimeError

from jaxgpt.core import fields, trust
from jaxgpt.core.choice import imported
from jaxgpt.core.wording import one_line
from jaxgpt.data.feed import HostFeed
from jaxgpt.data.stream import Stream
from jaxgpt.models.template import Template
from jaxgpt.nn.kernels.platform import aimed_at
from jaxgpt.parallel import sharding
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.plan import stand_in, targets
from jaxgpt.plan import traced_flops as flops
from jaxgpt.plan.candidates import Candidate
from jaxgpt.plan.program_text import ProgramText
from jaxgpt.runs.opening import held, mib
from jaxgpt.runs.run_weights import weights_of
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import Prepared, prepare
from jaxgpt.training.program import Program
from jaxgpt.training.step_cost import example_tokens, flops_formula, step_flops

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: What libtpu says of a program that is too large.
_TOO_LARGE = re.compile(r"required for HLO temporaries \(([\d.]+)([KMGT]?)\) exceeds available")


class Compiler:
    """Compiles one experiment in several ways for one target.

    Args:
      vocabulary: the number of ids, for data that stand in for those of the task; None reads these, if they
        are there.
      own_data: the task was told where its data are, so that it is a mistake if they are not.
      target: None where nothing will be compiled, only the facts asked for.

    Raises:
      ValueError: if the experiment does not fit together, or the target does not exist.
    """

    def __init__(
        self, experiment: Experiment, target: targets.Target | None, vocabulary: int | None, own_data: bool
    ):
        self._experiment = experiment
        self._devices = [] if target is None else target.devices()
        reason = "" if vocabulary is None else "a number of ids was given"
        if vocabulary is None:
            try:
                next(iter(experiment.task.examples("train", experiment.training.data_seed)))
            except (ValueError, OSError) as error:
                if own_data:
                    raise
                reason = str(error).partition(":")[0]
        # Where the mesh is, is told by the candidates.
        mesh = dataclasses.replace(MeshConfig(), data=1, seeds=1)
        if reason:
            size, known = stand_in.vocabulary(experiment, vocabulary)
            # The marks of a noise stand behind the tokenizer's ids.
            plain = dataclasses.replace(experiment.model, vocab_size=0)
            experiment = stand_in.replaced(dataclasses.replace(experiment, model=plain), size)
            tokenizer = stand_in.Ids(size)
            self.data_note = f"none is read ({reason}); rows as long as the model reads stand in for it"
        else:
            tokenizer, known = None, experiment.tokenizer or "of the files"
            self.data_note = "the task's own"
        # As many steps as epochs make are known of the task's own data alone.
        self._steps_known = not reason or self._experiment.training.epochs is None
        training = dataclasses.replace(experiment.training, mesh=mesh, accumulation=1)
        experiment = dataclasses.replace(experiment, training=training)
        sequence = self._experiment.training.mesh.sequence
        self._prepared = prepare(experiment, tokenizer, given=weights_of(experiment), sequence=sequence)
        self._data = self._shapes(bool(reason))
        total = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(self._data))
        fed = "batches" in self._data
        self.data_note += f"; {mib(total)} of it " + (
            "a dispatch, over all devices" if fed else "on every device"
        )
        self.vocabulary_note = f"{self._prepared.model.vocab_size:,} ids ({known})"

    def _shapes(self, replaced: bool) -> dict[str, Any]:
        """The data of a chunk, as a feed gives them, without them."""
        prepared, training = self._prepared, self._experiment.training
        rows = None
        if replaced and not isinstance(prepared.feed, HostFeed):
            stream = isinstance(prepared.table, Stream)
            rows = (
                prepared.resolved.steps * training.batch_size * prepared.program.window
                if stream
                else training.train_examples
            )
        return jax.tree.map(
            lambda value: jax.ShapeDtypeStruct((rows or value.shape[0], *value.shape[1:]), value.dtype),
            prepared.feed.data,
        )

    def facts(self) -> dict[str, Any]:
        """What all candidates share."""
        prepared: Prepared = self._prepared
        seeds = prepared.experiment.seeds
        return {
            "data": self.data_note,
            "vocabulary": self.vocabulary_note,
            "vocab_size": prepared.model.vocab_size,
            "parameters": prepared.program.template.num_params,
            "tokens_a_step": seeds * prepared.experiment.training.batch_size * example_tokens(prepared),
            "steps": prepared.resolved.steps if self._steps_known else None,
            "model_flops_a_step": seeds * step_flops(prepared),
            "model_flops_formula": flops_formula(prepared),
        }

    def program(self, candidate: Candidate) -> Program:
        """The program of a candidate on the target's devices.

        Raises:
          ValueError: if it does not fit the experiment or the devices.
        """
        prepared = self._prepared
        experiment = candidate.apply(
            dataclasses.replace(
                prepared.experiment,
                training=dataclasses.replace(
                    prepared.experiment.training, mesh=self._experiment.training.mesh
                ),
            )
        )
        training = experiment.training
        pieces = training.batch_size // training.accumulation
        mesh = sharding.make_mesh(training.mesh, pieces, experiment.seeds, self._devices)
        if mesh.size != len(self._devices):
            raise ValueError(f"it would leave {len(self._devices) - mesh.size} devices idle")
        model = dataclasses.replace(prepared.model, remat=candidate.remat)
        return dataclasses.replace(prepared.program, template=Template(model), training=training, mesh=mesh)

    def compile(self, candidate: Candidate, memory: int) -> dict[str, Any]:
        """What a step of a candidate needs; not compiled if its state alone is more than `memory`."""
        try:
            program = self.program(candidate)
        except ValueError as error:
            return {"status": "impossible", "reason": str(error)}
        found: dict[str, Any] = {"mesh": dict(program.mesh.shape), "arguments": held(program)}
        if found["arguments"] > memory:
            return found | {"status": "too large", "reason": "its state alone"}
        where = sharding.replicated(program.mesh)
        if "batches" in self._data:
            where = sharding.batches(program.mesh)
        data = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where), self._data
        )
        began = time.perf_counter()
        try:
            with self._aimed():
                compiled = program.compile(data).compile()
        except JaxRuntimeError as error:
            found |= _failed(str(error))
        except ValueError as error:  # of rows that the mesh does not divide
            found |= {"status": "impossible", "reason": one_line(str(error))}
        else:
            found |= {"status": "compiled", "memory": _memory(compiled.memory_analysis())}
            text = ProgramText(compiled.as_text())
            found |= {"a_step": text.step().to_json(), "a_dispatch": text.outside().to_json()}
        if found["status"] != "impossible":
            with self._aimed():
                found["flops_a_step"] = self._flops(program)
        return found | {"seconds": round(time.perf_counter() - began, 1)}

    def _aimed(self):
        return aimed_at(self._devices[0].platform)

    def _flops(self, program: Program) -> int:
        """Operations of a step of all replicas."""
        one, data, index = dataclasses.replace(program, seeds=1), self._data, None
        if "batches" in data:
            data = jax.tree.map(lambda v: jax.ShapeDtypeStruct(v.shape[2:], v.dtype), data["batches"])
        else:
            index = jax.ShapeDtypeStruct((program.training.batch_size,), np.int32)
        key = jax.eval_shape(lambda: jax.random.key(0))
        trace = jax.make_jaxpr(
            lambda state, data, index, key: one.step(state, data=data, index=index, key=key)
        )(one.abstract(), data, index, key)
        return program.seeds * flops.count(trace)


def _memory(analysis) -> dict[str, int]:
    """Bytes of a device, as XLA lays them out; donated outputs take the place of arguments."""
    found = {
        "arguments": analysis.argument_size_in_bytes,
        "outputs": analysis.output_size_in_bytes - analysis.alias_size_in_bytes,
        "temporaries": analysis.temp_size_in_bytes,
        "code": analysis.generated_code_size_in_bytes,
    }
    return found | {"peak": sum(found.values())}


def _failed(message: str) -> dict[str, Any]:
    """What a compiler's error says; a program that is too large is an answer, not a failure."""
    first = message.split("\n")[0]
    if "RESOURCE_EXHAUSTED" not in message:
        return {"status": "failed", "reason": first}
    if told := _TOO_LARGE.search(message):
        size = int(float(told[1]) * _UNITS[told[2]])
        return {"status": "too large", "reason": "its temporaries alone", "temporaries": size}
    return {"status": "too large", "reason": first}


def _read(requests: "queue.Queue[str]") -> None:
    """Hand requests on; when the parent is gone, end, in the midst of a compilation, too."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def main() -> None:
    """Answer requests until there are none."""
    # Libraries write to standard output what is no answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    imported("tasks")  # before a folder of that name in the working directory can be found
    sys.path.append(os.getcwd())
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    request = json.loads(requests.get())
    try:
        with trust.allowing(True):  # the process that asks has imported them
            experiment = fields.from_json(Experiment, request["experiment"])
        compiler = Compiler(
            experiment,
            None if request["target"] is None else targets.parse(request["target"]),
            request["vocabulary"],
            request["own_data"],
        )
        answer(compiler.facts())
    except (ValueError, OSError) as error:
        answer({"error": str(error)})
        return
    while True:
        asked = json.loads(requests.get())
        answer(compiler.compile(Candidate(**asked["candidate"]), asked["memory"]))


if __name__ == "__main__":
    main()
