"""`jaxgpt import-hf`: a model that transformers wrote, as a run directory."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.cli.option_types import path
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.cli.process import say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.core import hints
from jaxgpt.core.usage import UsageError
from jaxgpt.huggingface import tokenizer_files
from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan
from jaxgpt.models.template import Template
from jaxgpt.objectives.inferred import inferred
from jaxgpt.parallel import sharding
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run_directory import RunDirectory, held
from jaxgpt.task import Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.program import Program
from jaxgpt.training.resolved import Resolved
from jaxgpt.training.start import Start, starting_from

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "import-hf",
        "DIR [--OPTION VALUE ...]",
        description="Make a run directory of a directory of transformers: to ask, to evaluate, to train on.",
    )
    parser.add_argument("directory", metavar="DIR", type=path, help="a directory of transformers")
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        type=path,
        help="the run directory to make; default: runs/NAME, as the directory is called",
    )
    parser.add_argument(
        "--tokenizer", metavar="NAME", help="short name or directory; default: the directory's own"
    )
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Start JAX and make the directory."""
    start_jax(given.distributed)
    import_hf(given, say)
    return 0


def import_hf(given: argparse.Namespace, say: Say) -> None:
    """Make a run directory of a directory of transformers, to generate from, evaluate and go on with.

    Raises:
      ValueError: as `load_hf`; without a tokenizer; if the run directory is taken; for an encoder-decoder
        whose encoder reads a token before each text.
    """
    source = Path(given.directory)
    workdir = Path(given.workdir or Path("runs") / source.resolve().name)
    directory = RunDirectory(workdir)
    if directory.exists():
        raise UsageError(f"{workdir} already holds a run; choose another --workdir")
    makeable(workdir, name="--workdir")
    blank = Experiment(task=Task.named("pairs")(), tokenizer="")
    found = starting_from(blank, str(source))
    tokenizer_name = given.tokenizer or found.tokenizer
    if not tokenizer_name:
        raise UsageError(f"{source} has no tokenizer; name one by --tokenizer, such as a directory")
    tokenizer = tokenizers.build(tokenizer_name, lambda: ())
    tokenizer = tokenizer_files.begun_as(source, tokenizer, found.model.kind)
    before = getattr(tokenizer, "template", ())
    if found.model.kind == "encoder_decoder" and before:
        raise UsageError(
            f"{source}: its tokenizer puts {list(before)} before what the encoder reads, where a run has "
            "nothing; read it by jaxgpt.load_hf, which leaves the beginning to you"
        )
    if found.model.kind == "decoder":
        found = dataclasses.replace(found, task=Task.named("text")())
    model = found.model_for(tokenizer, Plan.of(Directory(source), None, {}).config.label_names)
    experiment = dataclasses.replace(found, tokenizer=tokenizer_name, objective=inferred(model))
    start = Start(model, tokenizer)
    mesh = sharding.local_mesh()
    template = Template(model)
    program = Program(template, experiment.optimizer, experiment.training, 1, mesh, 0)
    state = program.init(start.weights())
    with held(workdir) as (directory, note):
        if note:
            say(note)
        if directory.exists():  # since another command was faster
            raise UsageError(f"{workdir} already holds a run; choose another --workdir")
        checkpoints = Checkpoints(directory.checkpoints, fingerprint=tokenizer.fingerprint)
        checkpoints.save(0, state, loss=0.0)
        checkpoints.close()
        resolved = Resolved.of(template, steps=experiment.training.steps, fingerprint="")
        directory.write(experiment, resolved, tokenizer)  # last: what it stands for is a run
    say(f"weights {start.note}")
    say(f"written: {workdir}; ask it: {hints.command('generate', workdir)}{directory.trust_option()}")
