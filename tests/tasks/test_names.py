"""Names: a file of words, its splits, makemore's split, what is said of the file, and what samples are."""

import collections
import dataclasses
import itertools
import random

import pytest
from tiny_runs import one_line

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.evaluation.questions import Question
from jaxgpt.evaluation.scoring import mistakes
from jaxgpt.runs import experiments
from jaxgpt.task import SPLITS, Example, Task
from jaxgpt.training.experiment import Experiment
from tasks.names import Names, names

RNG = random.Random(0)
#: In three scripts, some of them several times.
LIST = [
    "".join(RNG.choice(letters) for _ in range(RNG.randint(1, 6)))
    for letters in RNG.choices(["abcde", "αβγδ", "日月火水"], k=600)
]


@pytest.fixture
def listed(tmp_path):
    """The words with Windows line ends, a byte-order mark, empty lines, and white space around some."""
    path = tmp_path / "words.txt"
    text = "\r\n".join(
        ["", *(f" {word}\t" if i % 7 == 0 else word for i, word in enumerate(LIST)), "   ", ""]
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return Names(path=str(path))


def read(task):
    return {split: [example.target for example in task.examples(split)] for split in SPLITS}


def test_every_line_is_in_one_split_as_often_as_it_stands(listed):
    parts = read(listed)
    assert len(set(LIST)) < len(LIST)
    assert collections.Counter(itertools.chain(*parts.values())) == collections.Counter(LIST)
    assert not set(parts["train"]) & {*parts["validation"], *parts["test"]}
    assert not set(parts["validation"]) & set(parts["test"])
    assert all(listed.split_of(e) == split for split in SPLITS for e in listed.examples(split))
    assert all(e.prompt == "" for split in SPLITS for e in listed.questions(split))
    assert sorted(e.target for e in listed.questions("test", seed=3)) == sorted(parts["test"])


def mersenne_twister(seed):
    """32-bit outputs of MT19937 begun by one number (Matsumoto and Nishimura 1998, init_genrand of 2002)."""
    state = [seed]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) % 2**32)
    generator = random.Random()
    generator.setstate((3, (*state, 624), None))
    while True:
        yield generator.getrandbits(32)


def shuffled_as_torch_does(items, seed):
    items, draws = list(items), mersenne_twister(seed)
    for i in range(len(items) - 1):
        other = i + next(draws) % (len(items) - i)
        items[i], items[other] = items[other], items[i]
    return items


def test_makemores_split_is_the_end_of_torchs_shuffle(listed):
    # torch 2.13: torch.manual_seed(3407); torch.randperm(30)
    of_torch = [
        19,
        7,
        25,
        15,
        27,
        3,
        20,
        29,
        28,
        18,
        23,
        13,
        22,
        6,
        9,
        26,
        24,
        10,
        8,
        14,
        4,
        1,
        17,
        2,
        0,
        5,
        12,
    ]
    of_torch += [21, 16, 11]
    assert shuffled_as_torch_does(range(30), 3407) == of_torch
    task = dataclasses.replace(listed, split_by="makemore")
    lines = shuffled_as_torch_does(LIST, 3407)
    assert read(task) == {"train": lines[:-60], "validation": lines[-60:], "test": lines[-60:]}
    both = sum(word in lines[:-60] for word in lines[-60:])
    assert both > 0 and f"in makemore; {both:,} of 60 are trained on" in task.notes()
    assert {task.split_of(Example("", word)) for word in lines[-60:]} == {"test"}


def test_makemores_test_set_has_at_most_a_thousand_lines(tmp_path):
    path = tmp_path / "many.txt"
    path.write_text("".join(f"{n}\n" for n in range(11_000)))
    parts = read(Names(path=str(path), split_by="makemore"))
    assert [len(parts[split]) for split in SPLITS] == [10_000, 1000, 1000]


def test_what_is_said_before_training(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("ab\nabc\nab\n\nab\n" + "x" * 9 + "\n" + "".join(f"w{n}\n" for n in range(90)))
    said = Names(path=str(path), max_characters=5).notes()
    assert said == (
        "words       94, of which 2 are repeats; the longest has 3 characters; 1 left out, longer than "
        "task.max_characters=5"
    )
    assert "x" * 9 not in itertools.chain(*read(Names(path=str(path), max_characters=8)).values())


def test_samples_are_new_copied_held_out_empty_or_repeated(listed):
    parts = read(listed)
    trained = [Example("", word) for word in parts["train"]]
    one, held = parts["train"][0], parts["test"][0]
    samples = ["never seen", one, held, "", one, "never seen", parts["validation"][0], "zzz"]
    found = listed.summary([(Example("", "any"), text) for text in samples], trained)
    shares = {name: (share.value * 8, share.n) for name, share in found.items()}
    assert shares == {
        "new": (3, 8),
        "copied": (2, 8),
        "held_out": (2, 8),
        "empty": (1, 8),
        "repeated": (2, 8),
    }
    right = [listed.score(Example("", "any"), text)["exact_match"] for text in samples]
    assert right == [0, 1, 1, 0, 1, 0, 1, 0]
    assert listed.summary([], trained)["new"].n == 0


def test_a_sample_is_no_mistake(listed):
    asked = [Question(Example("", "any")), Question(Example("em", "ma"))]
    assert [m.prompt for m in mistakes(listed, asked, ["zzz", "zzz"], 10)] == ["em"]


def test_a_list_of_words_is_held_out(listed, tmp_path):
    kept = read(listed)["train"][:5]
    file = tmp_path / "kept.txt"
    file.write_text("".join(f" {word} \n" for word in kept), encoding="utf-8")
    task = dataclasses.replace(listed, hold_out=str(file))
    assert set(kept) <= set(read(task)["test"]) and not set(kept) & set(read(task)["train"])
    with pytest.raises(ValueError, match=r"hold_out=.* needs split_by=words"):
        dataclasses.replace(task, split_by="makemore")


def test_what_cannot_be_read_is_told_in_a_line(tmp_path):
    def message(data, **fields):
        path = tmp_path / "words.txt"
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"\A[^\n]{,300}\Z") as error:
            list(Names(path=str(path), **fields).examples("train"))
        return str(error.value).removeprefix(f"{path}")

    assert message(b" \n\r\n") == " is empty"
    assert "line 2: byte 0xe9 is not UTF-8" in message("un\nd\xe9j\xe0\n".encode("latin-1"))
    assert message(b"abc\nabcd\n", max_characters=2) == (
        " has 2 words, all of more than 2 characters; raise task.max_characters"
    )
    assert message(b"one\n", held_out=0.5) == (
        " has no word for train with task.held_out=0.5; lower that, or add words"
    )
    with pytest.raises(
        ValueError, match=r"no word for test with task\.split_by=makemore, which needs ten lines"
    ):
        list(Names(path=str(tmp_path / "words.txt"), split_by="makemore").examples("test"))
    assert message(b"one\n", max_characters=0).startswith("max_characters=0 must be")


def test_the_path_is_asked_for(jaxgpt):
    status, _, errors = jaxgpt("train", "names", "--dry-run")
    assert status == 2 and "--task.path FILE" in one_line(errors)


def test_a_word_too_long_for_the_model_is_told_in_a_line(tmp_path, jaxgpt):
    path = tmp_path / "words.txt"
    path.write_text("".join(f"word {n} {'x' * 20}\n" for n in range(60)))
    options = ("--task.path", path, "--model.max-length", "16", "--dry-run")
    status, _, errors = jaxgpt("train", "names", *options)
    assert status == 2 and "raise model.max_length" in one_line(errors)


def test_the_recipe_is_makemores():
    """The default arguments of makemore.py, and its optimizer's."""
    recipe = names()
    model, optimizer, training = recipe.model, recipe.optimizer, recipe.training
    assert (model.num_layers, model.num_heads, model.d_model, training.batch_size) == (4, 4, 64, 32)
    assert (optimizer.learning_rate, optimizer.weight_decay, optimizer.beta1, optimizer.beta2) == (
        *(5e-4, 0.01),
        *(0.9, 0.99),
    )
    assert (optimizer.schedule, optimizer.warmup_steps, optimizer.clip_norm) == ("constant", 0, None)
    assert optimizer.decays({"bias": 0, "norm.scale": 0}) == {"bias": True, "norm.scale": True}
    assert from_json(Experiment, to_json(recipe)) == recipe
    assert Task.named("names") is Names


def test_all_six_models_are_compared():
    compared = experiments.compared("names")
    kinds = [experiments.find("names").model.from_text(name) for name in compared.vary["model"]]
    assert len({type(model.mixer) for model in kinds}) == 6 and compared.budgets == ("examples",)
