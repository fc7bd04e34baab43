"""`jaxgpt verify-hf`, `jaxgpt export-hf` and `jaxgpt import-hf`."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.cli.options import Given, Option, makeable
from jaxgpt.core import hints
from jaxgpt.core.usage import UsageError
from jaxgpt.huggingface import tokenizer_files, verify
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.models.template import Template
from jaxgpt.parallel import sharding
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run import load
from jaxgpt.runs.run_directory import RunDirectory, held
from jaxgpt.task import Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.program import Program
from jaxgpt.training.resolved import Resolved
from jaxgpt.training.start import Start, starting_from

VERIFY = (
    Option(
        "reference",
        "FILE",
        "an .npz with tokens, logits and, where the model takes them, source or global_tokens",
    ),
    Option("length", "N", "tokens of a text that transformers, where it is installed, is given", "32"),
)
EXPORT = (
    Option("family", "TYPE", "the model_type, such as gpt2"),
    Option("output", "DIR", "the directory to write"),
    Option("checkpoint", "WHICH", "last, best, selected or a step", "last"),
    Option(
        "tokenizer",
        "READER",
        "transformers: files that AutoTokenizer reads, or an error; jaxgpt: one that jaxgpt alone reads",
        "transformers",
    ),
)
IMPORT = (
    Option("workdir", "DIR", "the run directory to make; default: runs/NAME, as the directory is called"),
    Option("tokenizer", "NAME", "short name or directory; default: the directory's own"),
)
#: A larger difference than this share of the largest logit is no rounding.
TOLERANCE = 1e-3

Say = Callable[[str], None]


def verify_hf(given: Given, say: Say) -> bool:
    """Compare a directory's model with stored logits, or with those of transformers.

    Returns:
      Whether they agree.
    """
    path = Path(given.positional)
    loaded = load_hf(path, dtype="float32")
    for name, reason in loaded.audit.ignored.items():
        say(f"ignored {name}: {reason}")
    say(f"read {len(loaded.audit.used)} tensors, ignored {len(loaded.audit.ignored)}")
    if given.get("reference") is not None:
        inputs, expected = verify.stored(Path(given.get("reference")))
    else:
        length = min(given.whole("length"), loaded.model.config.max_length)
        inputs, expected = verify.live(path, loaded, length=length)
    agreement = verify.compare(verify.logits(loaded, inputs), expected)
    say(str(agreement))
    agree = agreement.largest < TOLERANCE
    say("they agree" if agree else f"they differ by more than {TOLERANCE:g}")
    return agree


def export_hf(given: Given, checkpoint: str | int, say: Say) -> None:
    """Write a run's model, of the first seed, for transformers to read.

    Raises:
      ValueError: as `save_hf`, and without --family or --output.
    """
    for name in ("family", "output"):
        if given.get(name) is None:
            raise UsageError(f"export-hf needs --{name}; see jaxgpt export-hf --help")
    makeable(given.get("output"), name="--output")
    run = load(given.positional, checkpoint=checkpoint)
    save_hf(
        run.model,
        given.get("output"),
        family=given.get("family"),
        tokenizer=run.tokenizer,
        reader=given.get("tokenizer"),
    )
    say(f"written: {given.get('output')}")


def import_hf(given: Given, say: Say) -> None:
    """Make a run directory of a directory of transformers, to generate from, evaluate and go on with.

    Raises:
      ValueError: as `load_hf`; without a tokenizer; if the run directory is taken; for an encoder-decoder
        whose encoder reads a token before each text.
    """
    source = Path(given.positional)
    workdir = Path(given.get("workdir") or Path("runs") / source.resolve().name)
    directory = RunDirectory(workdir)
    if directory.exists():
        raise UsageError(f"{workdir} already holds a run; choose another --workdir")
    makeable(workdir, name="--workdir")
    blank = Experiment(task=Task.named("pairs")(), tokenizer="")
    found = starting_from(blank, str(source))
    tokenizer_name = given.get("tokenizer") or found.tokenizer
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
    experiment = dataclasses.replace(found, tokenizer=tokenizer_name)
    model = experiment.model_for(tokenizer)
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
