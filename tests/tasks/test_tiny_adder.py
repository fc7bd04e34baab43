"""The smallest adder: what it may have, and what it is asked."""

import itertools
import math

from jaxgpt import tokenizers
from jaxgpt.models.template import Template
from tasks.tiny_adder import tiny_adder


def test_it_has_92_weights():
    experiment = tiny_adder()
    examples = list(itertools.islice(experiment.task.examples("train"), 200))
    tokenizer = tokenizers.build(experiment.tokenizer, lambda: (e.prompt + e.target for e in examples))
    shapes = Template(experiment.model.for_vocabulary(tokenizer.vocabulary())).shapes
    parts = {name: math.prod(shape) for name, shape in shapes.items()}
    embedding = 3 * (3 + 5)  # three for all digits; plus, equals and three special tokens
    bias = 3 + 1  # differences -1, 0 and 1, and what is no digit
    attention, mlp = 4 * 3, 3 * 7 + 7 + 7 * 3 + 3
    assert parts.pop("embedding.table") == embedding
    assert parts.pop("decoder.tables.bias") == bias
    assert sum(n for name, n in parts.items() if ".attention." in name) == attention
    assert sum(n for name, n in parts.items() if ".mlp." in name) == mlp
    assert len(parts) == 4 + 4
    assert embedding + bias + attention + mlp == 92


def test_it_is_asked_for_sums_of_ten_digits():
    experiment = tiny_adder()
    for example in itertools.islice(experiment.task.examples("test"), 50):
        one, two = example.prompt.removesuffix("=").split("+")
        assert len(one) == len(two) == 10 and "0" not in (one[0], two[0])
        assert example.target == str(int(one) + int(two)).zfill(11)[::-1]
        assert len(example.prompt + example.target) + 2 <= experiment.model.max_length + 1
