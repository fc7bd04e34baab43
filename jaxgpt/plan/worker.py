"""The compiling process as its parent sees it: asked one thing at a time, ended when it takes too long."""

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.plan.candidates import Candidate
from jaxgpt.plan.targets import Target
from jaxgpt.training.experiment import Experiment


class Worker:
    """Compiles candidates in a process of its own, which is started when it is needed.

    Args:
      target: None where only the facts are asked for, which needs no compiler of its devices.
      vocabulary, own_data: as `compiling.Compiler`.
      seconds: an answer may take.
    """

    def __init__(
        self,
        experiment: Experiment,
        target: Target | None,
        vocabulary: int | None,
        own_data: bool,
        seconds: float,
    ):
        self._target, self._seconds = target, seconds
        self._request = {
            "experiment": fields.to_json(experiment),
            "target": None if target is None else target.name,
            "vocabulary": vocabulary,
            "own_data": own_data,
        }
        self._process: subprocess.Popen | None = None
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error) -> None:
        self._end()

    def facts(self) -> dict[str, Any]:
        """What all candidates share.

        Raises:
          ValueError: for an experiment or a target that does not fit; the message is the process's own.
        """
        self._start()
        return self._facts

    def compile(self, candidate: Candidate, memory: int) -> dict[str, Any]:
        """What a candidate needs, or why that is not known."""
        self._start()
        answer = self._ask({"candidate": dataclasses.asdict(candidate), "memory": memory})
        if "error" in answer:
            return {"status": "failed", "reason": answer["error"]}
        return answer

    def _start(self) -> None:
        if self._process is not None:
            return
        package = str(Path(jaxgpt.__file__).resolve().parents[1])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            # -P: a folder of the working directory must not pass for a module of ours.
            [sys.executable, "-P", "-c", "from jaxgpt.plan.compiling import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent, which ends this process
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(paths),
                "JAX_PLATFORMS": "cpu",
                "JAX_ENABLE_COMPILATION_CACHE": "false",  # what is read from it tells less
            }
            | ({} if self._target is None else self._target.environment()),
        )
        self._answers: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process, self._answers), daemon=True)
        self._reader.start()
        self._facts = self._ask(self._request)
        if "error" in self._facts:
            self._end()
            raise ValueError(self._facts["error"])

    @staticmethod
    def _read(process: subprocess.Popen, answers: "queue.Queue[str]") -> None:
        for line in process.stdout:
            answers.put(line)
        answers.put("")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        line = ""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=self._seconds)
        except queue.Empty:
            self._end()
            return {"error": f"no answer in {self._seconds:g} s; --timeout sets how long to wait"}
        except BrokenPipeError:
            pass
        return json.loads(line) if line else {"error": self._died()}

    def _died(self) -> str:
        """Why the process ended, in one line."""
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._end()
        return f"the compiler ended with status {status}" + (f": {lines[-1].strip()}" if lines else "")

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._reader.join()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()
        self._process = None
