"""jaxgpt: how should a transformer read numbers? Models, tokenizers, training and evaluation in JAX.

Names are imported when they are first used, so that `import jaxgpt` stays fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names as below, for whoever reads the types
    from jaxgpt.comparison.comparing import compare as compare
    from jaxgpt.comparison.results import Results as Results
    from jaxgpt.evaluation.evaluation import Evaluation as Evaluation
    from jaxgpt.evaluation.exam import examine as examine
    from jaxgpt.evaluation.exam import read_exam as read_exam
    from jaxgpt.evaluation.few_shot import FewShot as FewShot
    from jaxgpt.evaluation.scoring import evaluate as evaluate
    from jaxgpt.evaluation.scoring_options import Kept as Kept
    from jaxgpt.evaluation.scoring_options import TrainedOn as TrainedOn
    from jaxgpt.generation import Sampling as Sampling
    from jaxgpt.generation import StopTexts as StopTexts
    from jaxgpt.generation import beam_search as beam_search
    from jaxgpt.generation import generate as generate
    from jaxgpt.huggingface.load import load_hf as load_hf
    from jaxgpt.huggingface.save import save_hf as save_hf
    from jaxgpt.models import ModelConfig as ModelConfig
    from jaxgpt.models import Transformer as Transformer
    from jaxgpt.nn.attention.attention_config import AttentionConfig as AttentionConfig
    from jaxgpt.nn.embedding_config import EmbeddingConfig as EmbeddingConfig
    from jaxgpt.nn.head_config import HeadConfig as HeadConfig
    from jaxgpt.nn.mlp_config import MLPConfig as MLPConfig
    from jaxgpt.objectives.base import Objective as Objective
    from jaxgpt.objectives.next_token import NextToken as NextToken
    from jaxgpt.runs.run import Run as Run
    from jaxgpt.runs.run import load as load
    from jaxgpt.runs.session import train as train
    from jaxgpt.task import Example as Example
    from jaxgpt.task import Share as Share
    from jaxgpt.task import Task as Task
    from jaxgpt.tokenizers import Tokenizer as Tokenizer
    from jaxgpt.training.experiment import Experiment as Experiment
    from jaxgpt.training.optimizers import Optimizer as Optimizer
    from jaxgpt.training.optimizers.adamw import AdamW as AdamW
    from jaxgpt.training.optimizers.muon import Muon as Muon
    from jaxgpt.training.trainer import Trainer as Trainer
    from jaxgpt.training.training_config import TrainingConfig as TrainingConfig

__version__ = "0.3.0"

_HOME = {
    "AdamW": "jaxgpt.training.optimizers.adamw",
    "AttentionConfig": "jaxgpt.nn.attention.attention_config",
    "EmbeddingConfig": "jaxgpt.nn.embedding_config",
    "Evaluation": "jaxgpt.evaluation.evaluation",
    "Example": "jaxgpt.task",
    "Experiment": "jaxgpt.training.experiment",
    "FewShot": "jaxgpt.evaluation.few_shot",
    "HeadConfig": "jaxgpt.nn.head_config",
    "Kept": "jaxgpt.evaluation.scoring_options",
    "MLPConfig": "jaxgpt.nn.mlp_config",
    "ModelConfig": "jaxgpt.models",
    "Muon": "jaxgpt.training.optimizers.muon",
    "NextToken": "jaxgpt.objectives.next_token",
    "Objective": "jaxgpt.objectives.base",
    "Optimizer": "jaxgpt.training.optimizers",
    "Results": "jaxgpt.comparison.results",
    "Run": "jaxgpt.runs.run",
    "Sampling": "jaxgpt.generation",
    "Share": "jaxgpt.task",
    "StopTexts": "jaxgpt.generation",
    "Task": "jaxgpt.task",
    "Tokenizer": "jaxgpt.tokenizers",
    "TrainedOn": "jaxgpt.evaluation.scoring_options",
    "Trainer": "jaxgpt.training.trainer",
    "TrainingConfig": "jaxgpt.training.training_config",
    "Transformer": "jaxgpt.models",
    "beam_search": "jaxgpt.generation",
    "compare": "jaxgpt.comparison.comparing",
    "evaluate": "jaxgpt.evaluation.scoring",
    "examine": "jaxgpt.evaluation.exam",
    "generate": "jaxgpt.generation",
    "load": "jaxgpt.runs.run",
    "load_hf": "jaxgpt.huggingface.load",
    "read_exam": "jaxgpt.evaluation.exam",
    "save_hf": "jaxgpt.huggingface.save",
    "train": "jaxgpt.runs.session",
}

__all__ = sorted(_HOME)


if not TYPE_CHECKING:  # to whoever reads the types, any other name is a mistake

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'jaxgpt' has no attribute {name!r}")
        return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
