"""Which training text a tokenizer learns from."""

import dataclasses

from jaxgpt.experiment import Experiment
from jaxgpt.task import Example, Task
from jaxgpt.training import prepare


@dataclasses.dataclass(frozen=True)
class Listed(Task):
    """A finite task."""

    endless = False


def test_a_finite_task_s_last_document_is_in_the_alphabet(monkeypatch):
    monkeypatch.setattr(prepare, "TOKENIZER_EXAMPLES", 1)
    examples = [Example("", "ab"), Example("", "z")]
    listed = prepare.build_tokenizer(Experiment(Listed(), "characters"), examples)
    assert listed.decode(listed.encode("abz")) == "abz"
    assert prepare.build_tokenizer(Experiment(Task(), "characters"), examples).vocab_size == 5
