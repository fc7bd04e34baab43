"""jaxgpt: how should a transformer read numbers? Models, tokenizers, training and evaluation in JAX.

Names are imported when they are first used, so that `import jaxgpt` stays fast.
"""

import importlib
from typing import Any

_HOME = {
    "Example": "jaxgpt.task",
    "Experiment": "jaxgpt.experiment",
    "FewShot": "jaxgpt.few_shot",
    "ModelConfig": "jaxgpt.models",
    "OptimizerConfig": "jaxgpt.training.config",
    "Run": "jaxgpt.run",
    "Sampling": "jaxgpt.generation",
    "Share": "jaxgpt.task",
    "Task": "jaxgpt.task",
    "Tokenizer": "jaxgpt.tokenizers",
    "TrainingConfig": "jaxgpt.training.config",
    "Transformer": "jaxgpt.models",
    "beam_search": "jaxgpt.generation",
    "evaluate": "jaxgpt.evaluation.evaluate",
    "generate": "jaxgpt.generation",
    "load": "jaxgpt.run",
    "load_hf": "jaxgpt.huggingface.load",
    "save_hf": "jaxgpt.huggingface.save",
    "train": "jaxgpt.training.session",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'jaxgpt' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
