"""Labels of texts, tags of words, answers in texts: how they are read, learned and told."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxgpt
from jaxgpt.cli import main as cli
from jaxgpt.core import fields
from jaxgpt.core.nested import replaced
from jaxgpt.data.labelled import CHOICE, SPAN, encoded
from jaxgpt.data.splits import Splits
from jaxgpt.evaluation.questions import obstacles
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import Features
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.multiple_choice import MultipleChoice
from jaxgpt.objectives.pretraining import Pretraining
from jaxgpt.objectives.similarity import Similarity
from jaxgpt.objectives.span import Span
from jaxgpt.objectives.told import read_labels
from jaxgpt.runs import experiments
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.characters import Characters
from jaxgpt.training.prepare import prepare
from tasks.pairs import Pairs

TEXT = "abcdefghijklmnopqrstuvwxyz0123456789 ?=,"


def config(names, labels_from="first", kind="encoder", **changes):
    """A small model with these labels."""
    small = ModelConfig(
        kind=kind,
        num_layers=1,
        d_model=16,
        num_heads=2,
        max_length=40,
        position=Learned(),
        labels=len(names),
        label_names=names,
        labels_from=labels_from,
    )
    return replaced(small, changes).for_vocabulary(Characters(TEXT).vocabulary())


def test_a_label_is_its_number_among_the_sorted_ones():
    examples = [Example("one=", "low"), Example("nine=", "high"), Example("two=", "low")]
    names = Labels().label_names(examples, ModelConfig(kind="encoder"))
    assert names == ("high", "low")
    rows = Labels().rows(examples, Characters(TEXT), config(names))
    assert rows.labels.tolist() == [[1], [0], [1]]
    assert [rows.ids(1)[0], rows.ids(1)[-1]] == [Characters(TEXT).bos_id, Characters(TEXT).eos_id]
    with pytest.raises(ValueError, match="the training targets are 2: high, low"):
        Labels().label_names(examples, ModelConfig(kind="encoder", labels=3))


def test_tags_stand_at_the_first_token_of_their_words():
    examples = [Example("ab c 12", "x y z"), Example("q", "y")]
    rows = Labels().rows(examples, Characters(TEXT), config(("x", "y", "z"), "each"))
    # bos a b _ c _ 1 2 eos: a space belongs to the word behind it.
    assert rows.labels.tolist() == [[-1, 0, -1, 1, -1, 2, -1, -1, -1], [-1, 1] + [-1] * 7]
    with pytest.raises(ValueError, match="2 tags for 3 words: 'a b c'"):
        Labels().rows([Example("a b c", "x y")], Characters(TEXT), config(("x", "y"), "each"))
    with pytest.raises(ValueError, match="'w' of 'a' is no label; known: x, y"):
        Labels().rows([Example("a", "w")], Characters(TEXT), config(("x", "y"), "each"))


def test_an_answer_begins_and_ends_at_its_tokens():
    examples = [Example("who? ann, bob, cyd", "bob"), Example("12 and 345", "345")]
    rows = Span().rows(examples, Characters(TEXT), config(SPAN, "each"))
    tokenizer = Characters(TEXT)
    for row, example in enumerate(examples):
        start, stop = rows.labels[row]
        assert tokenizer.decode(rows.ids(row)[start : stop + 1]) == example.target
    with pytest.raises(ValueError, match="'dan' does not stand in"):
        Span().rows([Example("ann", "dan")], tokenizer, config(SPAN, "each"))


@pytest.mark.parametrize(
    ("objective", "prompt", "texts"),
    [
        (Labels(), "ab c", ["ab c"]),
        (Labels(), "ab\tc", ["ab\tc"]),
        (MultipleChoice(), "q\tab\tc", ["q\tab", "q\tc"]),
        (Similarity(), "ab\tc", ["ab\tc", "c\tab"]),
    ],
)
def test_a_row_begins_and_ends_and_has_an_end_between_its_texts(objective, prompt, texts):
    tokenizer = Characters(TEXT)
    ends = {"\t": tokenizer.eos_id}
    rows = [[ends.get(c) or tokenizer.encode(c)[0] for c in text] for text in texts]
    expected = [[tokenizer.bos_id, *row, tokenizer.eos_id] for row in rows]
    assert objective.readings(prompt, tokenizer, config(("x", "y"))) == expected


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize(
    ("objective", "example", "model"),
    [
        (Labels(), Example("ab", "x"), config(("x", "y"))),
        (Labels(), Example("ab", "x"), config(("x", "y"), "each")),
        (Span(), Example("ab", "b"), config(SPAN, "each")),
        (MultipleChoice(), Example("q\ta\tb", "a"), config(CHOICE)),
        (Similarity(), Example("a\tb", "x"), config(("x", "y"))),
    ],
    ids=["labels", "tags", "span", "choice", "similarity"],
)
def test_a_split_without_examples_is_named(objective, example, model, split):
    splits = Splits(Task(), [example], [example], Characters(TEXT), model)
    assert objective.tables(splits).train.num_examples == 1
    message = rf"\A{split} split: the task gives no examples for this split; change task\.held_out or its "
    with pytest.raises(ValueError, match=message):
        objective.tables(dataclasses.replace(splits, **{split: []}))


@pytest.mark.parametrize(
    ("choices", "stands"),
    [("b\tc", "is not one of"), ("a", "is the only one of"), ("a\ta\tb", "stands 2 times among")],
)
def test_what_is_wrong_with_choices_is_told(choices, stands):
    with pytest.raises(ValueError, match=rf"\Athe target 'a' {stands} the choices of 'q\\t"):
        MultipleChoice().rows([Example(f"q\t{choices}", "a")], Characters(TEXT), config(CHOICE))


@pytest.mark.parametrize(
    "name", ["bpe:300", "digits:1:right:bpe:300", "sentencepiece:300", "bytes", "10e", "words"]
)
def test_a_row_is_what_is_asked_and_its_answer_can_be_given(name):
    """Whatever a token holds beside the words of the answer; tokens that are cut there would tell of it."""
    prompt = "The capital of France is Paris and has 105 towers"
    tokenizer = build(name, lambda: [prompt] * 20)
    model = config(SPAN, "each", max_length=100)
    for answer in ("Paris", "105", "The", "towers", "France is Paris"):
        rows = Span().rows([Example(prompt, answer)], tokenizer, model)
        asked = encoded(tokenizer, prompt)
        assert rows.ids(0) == [tokenizer.bos_id, *asked, tokenizer.eos_id]
        start, stop = rows.labels[0]
        logits = np.full((1, len(asked) + 2, 2), -9.0)
        logits[0, start, 0] = logits[0, stop, 1] = 9.0
        assert Span().answer(None, tokenizer, prompt, [rows.ids(0)], logits) == answer, (
            name,
            answer,
        )


@pytest.mark.parametrize("which", ["labels", "span"])
def test_the_loss_is_that_of_the_labels(which):
    names, labels_from = (SPAN, "each") if which == "span" else (("x", "y", "z"), "each")
    targets = ("c", "q") if which == "span" else ("x y z", "y")
    examples = [Example("ab c 12", targets[0]), Example("q", targets[1])]
    model_config = config(names, labels_from)
    model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
    objective = Span() if which == "span" else Labels()
    rows = objective.rows(examples, Characters(TEXT), model_config)
    batch = {name: jnp.asarray(value, jnp.int32) for name, value in rows.arrays().items()}
    losses, weights = objective.losses(model, batch), objective.weights(batch)
    place = np.arange(9)
    order = np.where(place < rows.length[:, None], place, -1)
    logits = np.asarray(model(rows.tokens.astype(np.int32), order=order).labels)
    for row in range(2):
        for k, label in enumerate(rows.labels[row]):
            if label < 0:
                assert weights[row, k] == 0
                continue
            scores = logits[row, : rows.length[row], k] if which == "span" else logits[row, k]
            expected = -jax.nn.log_softmax(scores)[label]
            np.testing.assert_allclose(losses[row, k], expected, atol=1e-5)
            assert weights[row, k] == 1


def experiment(path, lines, **words):
    """Training on a file of prompts and targets."""
    path.write_text("".join(f"{prompt}\t{target}\n" for prompt, target in lines))
    given = {
        "task.path": str(path),
        "tokenizer": "characters",
        "model": "tiny",
        "model.kind": "encoder",
        "model.position": "learned",
        "model.max-length": "32",
        "model.num-layers": "1",
        "model.d-model": "32",
        "model.init-std": "none",
        "optimizer.learning-rate": "5e-3",
        "optimizer.warmup-steps": "5",
        "training.steps": "150",
        "training.chunk": "50",
        "training.batch-size": "32",
        "training.eval-every": "0",
        "training.test-examples": "30",
        "objective": "labels",
    }
    given |= {name.replace("__", "."): value for name, value in words.items()}
    return fields.override(experiments.find("pairs"), given)


def words(rng, count):
    return ["".join(rng.choice(list("abcdef"), 3)) for _ in range(count)]


def made(kind):
    """Questions of one kind: the letter that begins a text, vowels and others, the number in a text."""
    rng, lines = np.random.default_rng(0), {}
    while len(lines) < 400:
        text = words(rng, 4)
        if kind == "labels":
            text[0] = rng.choice(["x", "y"]) + text[0]
            lines[" ".join(text)] = text[0][0] + "-like"
        elif kind == "choice":  # two or three choices, of which one begins as the question does
            first, other = rng.permutation(["x", "y"])
            choices = [other + word for word in text[: 2 + len(lines) % 2]]
            right = rng.integers(len(choices))
            choices[right] = first + choices[right][1:]
            lines["\t".join([first, *choices])] = choices[right]
        elif kind == "tags":
            lines[" ".join(text)] = " ".join("vowel" if word[0] in "ae" else "other" for word in text)
        else:
            text[rng.integers(4)] = number = str(rng.integers(10, 999))
            lines[" ".join(text)] = number
    return lines.items()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("labels", {}),
        ("span", {"model__labels-from": "each", "objective": "span"}),
        ("choice", {"task__texts": "0", "objective": "multiple-choice", "training__steps": "250"}),
    ],
)
def test_they_are_learned_and_told(kind, changes, tmp_path):
    found = experiment(tmp_path / "lines.tsv", made(kind), **changes)
    jaxgpt.train(found, tmp_path / "run", say=lambda line: None)
    evaluation = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert evaluation["exact_match"] > 0.9
    run = jaxgpt.load(tmp_path / "run")
    example = prepare(found).examples[0]
    assert run.generate([example.prompt]) == [[example.target]]
    asked = [example.prompt, "a\tb\tc"]
    assert found.objective.predict(run.model, run.tokenizer, asked, Asking())[0] == [example.target]


@pytest.mark.parametrize("kind", ["encoder", "decoder", "encoder_decoder"])
def test_a_number_too_long_for_the_position_scheme_gets_no_label_silently(kind):
    tokenizer, position = Characters(TEXT), Abacus(max_position=12, max_offset=0)
    model_config = config(("no", "yes"), "last", kind, position=position)
    model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
    assert Labels().predict(model, tokenizer, ["1" * 11], Asking())[0][0] in ("no", "yes")
    with pytest.raises(ValueError, match=r"row 1 reaches position 15, which position\.max_position=12 does"):
        Labels().predict(model, tokenizer, ["1", "1" * 15], Asking())
    example = Example("1" * 15, "no")
    assert obstacles(model, tokenizer, [example], Labels()) == ["position 15, position.max_position is 12"]


@pytest.mark.thorough
def test_two_texts_are_two_segments():
    tokenizer, names = Characters(TEXT), ("next", "other")
    model_config = config(names, segments=2)
    rows = Labels().rows([Example("ab\tcd", "next"), Example("q", "other")], tokenizer, model_config)
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    assert rows.ids(0) == [bos, *tokenizer.encode("ab"), eos, *tokenizer.encode("cd"), eos]
    assert rows.segments.tolist() == [[0, 0, 0, 0, 1, 1, 1], [0] * 7]
    model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
    batch = {name: jnp.asarray(value, jnp.int32) for name, value in rows.arrays().items()}
    losses = Labels().losses(model, batch)
    logits = model(rows.tokens[:1].astype(np.int32), features=Features(segments=rows.segments[:1])).labels[0]
    np.testing.assert_allclose(losses[0, 0], -jax.nn.log_softmax(logits)[0], atol=1e-5)
    assert Labels().predict(model, tokenizer, ["ab\tcd"], Asking())[0][0] == names[int(logits.argmax())]


def test_the_token_of_a_longformer_that_a_label_is_read_from_sees_all():
    tokens = np.random.default_rng(0).integers(3, 40, (2, 20))
    other = tokens.copy()
    other[:, 15] = other[:, 15] % 37 + 3  # far beyond the window of the first token
    order, segments = np.tile(np.arange(20), (2, 1)), np.zeros((2, 20), int)
    for labels_from, moved in (("first", True), ("each", False)):
        model_config = config(("x", "y"), labels_from, sparse=Longformer((4,)))
        model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
        places = np.zeros((2, 1), int) if labels_from == "first" else None
        told, again = (
            np.asarray(read_labels(model, given, order, segments).labels) for given in (tokens, other)
        )
        expected = model(tokens, features=Features(global_tokens=places)).labels
        np.testing.assert_allclose(told, expected, atol=1e-6)
        first, second = (found if labels_from == "first" else found[:, 0] for found in (told, again))
        assert (first != second).any() == moved


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["order"])
def test_sentences_that_follow_each_other_are_a_task(kind, tmp_path):
    tides = [f"The tide number {i} comes in. It goes out at {i}. Then {i} is over." for i in range(300)]
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(tides))
    given = {
        "task.path": str(path),
        "task.pairs": kind,
        "training.steps": "3",
        "training.test-examples": "20",
    }
    found = fields.override(experiments.find("sentence-pairs"), given)
    examples = prepare(found).examples[:200]
    labels = [e.target for e in examples]
    assert set(labels) == ({"next", "other"} if kind == "next" else {"right", "swapped"})
    assert 60 < labels.count(labels[0]) < 140
    for example in examples:
        one, other = example.prompt.split("\t")
        follows = any(f"{one} {other}" in text for text in tides)
        assert follows == (example.target in ("next", "right"))
        if kind == "order":
            assert follows or any(f"{other} {one}" in text for text in tides)
    jaxgpt.train(found, tmp_path / "run", say=lambda line: None)
    assert jaxgpt.load(tmp_path / "run").model.config.label_names == tuple(sorted(set(labels)))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("names", "labels_from", "architecture"),
    [
        (("high", "low"), "first", "BertForSequenceClassification"),
        (("noun", "verb", "other"), "each", "BertForTokenClassification"),
        (SPAN, "each", "BertForQuestionAnswering"),
        (CHOICE, "first", "BertForMultipleChoice"),
    ],
)
def test_an_exported_model_says_what_its_labels_are(names, labels_from, architecture, tmp_path):
    model = jaxgpt.Transformer(
        config(
            names,
            labels_from,
            pooler=labels_from == "first",
            wiring="post",
            segments=2,
            residual_init="plain",
            **{"head.weights": "none", "embedding.norm": True, "mlp.activation": "gelu"},
        ),
        rngs=nnx.Rngs(0),
    )
    jaxgpt.save_hf(model, tmp_path / "bert", family="bert")
    description = json.loads((tmp_path / "bert" / "config.json").read_text())
    assert description["id2label"] == {str(i): name for i, name in enumerate(names)}
    assert description["architectures"] == [architecture]
    again = jaxgpt.load_hf(tmp_path / "bert").model
    ids = np.array([[1, 5, 6, 2]])
    np.testing.assert_allclose(again(ids).labels, model(ids).labels, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"objective": "span"}, "needs model.labels_from=each"),
        ({"objective": "multiple-choice", "model__labels-from": "each"}, "labels_from=first or last"),
        (
            {"objective": "pretraining", "model__head__weights": "none"},
            "model.kind=encoder and model.head.weights",
        ),
        ({"objective": "multiple-choice"}, "is not one of the choices of"),
        ({"model__kind": "decoder"}, "first token has seen nothing; set model.labels_from=last"),
    ],
)
def test_what_labels_do_not_go_with_is_named(changes, line, tmp_path):
    with pytest.raises(ValueError, match=line):
        prepare(experiment(tmp_path / "a.tsv", made("labels"), **changes))
    with pytest.raises(ValueError, match="is for questions, and the task is a text"):
        prepare(fields.override(experiments.find("text"), {"objective": "labels"}))


@pytest.mark.thorough
def test_a_choice_is_between_rows():
    tokenizer = Characters(TEXT)
    model_config = config(CHOICE, segments=2)
    examples = [Example("ab\tc\td\te", "d"), Example("q\txy\tz", "xy")]
    rows = MultipleChoice().rows(examples, tokenizer, model_config)
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    for k, choice in enumerate("cde"):
        expected = [bos, *tokenizer.encode("ab"), eos, *tokenizer.encode(choice), eos]
        assert rows.tokens[0, k, : rows.length[0, k]].tolist() == expected
    assert rows.labels.tolist() == [[1], [0]] and rows.choices.tolist() == [3, 2]
    assert rows.segments[0, 0].tolist() == [0, 0, 0, 0, 1, 1]
    model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
    batch = {name: jnp.asarray(value, jnp.int32) for name, value in rows.arrays().items()}
    losses, weights = MultipleChoice().losses(model, batch), MultipleChoice().weights(batch)
    assert weights.tolist() == [[1], [1]]
    for row, example in enumerate(examples):
        question, *choices = example.prompt.split("\t")
        scores = []
        for choice in choices:  # each alone, without padding
            ids = [bos, *tokenizer.encode(question), eos, *tokenizer.encode(choice), eos]
            second = [0] * (len(question) + 2) + [1] * (len(choice) + 1)
            scores.append(model(np.array([ids]), features=Features(segments=np.array([second]))).labels[0, 0])
        expected = -jax.nn.log_softmax(jnp.stack(scores))[choices.index(example.target)]
        np.testing.assert_allclose(losses[row, 0], expected, atol=1e-5)
        told = MultipleChoice().predict(model, tokenizer, [example.prompt], Asking())
        assert told == [[choices[int(np.argmax(scores))]]]


@pytest.mark.thorough
def test_pretraining_is_hidden_tokens_and_labels_in_one_sum():
    tokenizer = Characters(TEXT)
    model_config = replaced(config(("next", "other"), segments=2), {"head.weights": "tied"})
    model = jaxgpt.Transformer(model_config, rngs=nnx.Rngs(0))
    examples = [Example("abcdefghij\tklmnopqrst", "next"), Example("qwertz\tuio", "other")]
    rows = Pretraining().rows(examples, tokenizer, model_config)
    batch = {name: jnp.asarray(value, jnp.int32) for name, value in rows.arrays().items()}
    for seed in range(5):
        drawn = Pretraining().draw(batch, model_config, jax.random.key(seed))
        hidden = np.asarray(drawn["carries"]) > 0
        assert hidden.sum(axis=1).tolist() == [3, 1]  # 15 % of 20 and of 9
        assert not (hidden & (rows.tokens == tokenizer.eos_id)).any()
        losses, weights = Pretraining().losses(model, drawn), Pretraining().weights(drawn)
        output = model(drawn["tokens"], order=drawn["order"], features=Features(segments=batch["segments"]))
        tokens = -jax.nn.log_softmax(output.logits)[np.arange(2)[:, None], np.arange(23), rows.tokens]
        labels = -jax.nn.log_softmax(output.labels)[np.arange(2), rows.labels[:, 0]]
        expected = (np.asarray(tokens) * hidden).sum() + 3 * labels[0] + 1 * labels[1]
        np.testing.assert_allclose((losses * weights).sum(), expected, rtol=1e-5)
        assert float(weights.sum()) == 8


def test_long_pairs_are_left_out_and_a_line_may_be_a_paragraph(tmp_path):
    path = tmp_path / "text.txt"
    lines = [f"Line {i} begins. It is short. {'It goes on and on ' * 40}." for i in range(40)]
    path.write_text("\n".join(lines))
    task = fields.override(experiments.find("sentence-pairs"), {"task.path": str(path)}).task
    found = list(task.examples("train"))
    assert found and all(len(e.prompt) < 300 for e in found)
    long = "left out    pairs of more than 300 characters, as 40 of 80 pairs of neighbours have"
    assert task.notes() == f"{long}; the others are drawn"
    ordered = dataclasses.replace(task, pairs="order")
    assert ordered.notes() == "left out    40 of 80 pairs, of more than 300 characters"
    splits = ("train", "validation", "test")
    assert sum(len(list(ordered.examples(split))) for split in splits) == 80 - 40
    every = dataclasses.replace(task, max_characters=0)
    assert len(list(every.examples("train"))) > len(found) and every.notes() == ""
    with pytest.raises(ValueError, match=r"raise task\.max_characters"):
        next(dataclasses.replace(task, max_characters=5).examples("train"))


@pytest.mark.thorough
def test_bert_is_pretrained_as_it_was(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(f"Number {i} comes in. It goes out at {i}. It is over." for i in range(99)))
    given = {
        "task.path": str(path),
        "training.steps": "2",
        "training.test-examples": "4",
        "tokenizer": "bytes",
    }
    found = fields.override(experiments.find("bert-pretraining"), given)
    jaxgpt.train(found, tmp_path / "run", say=lambda line: None)
    model = jaxgpt.load(tmp_path / "run").model
    output = model(np.array([[1, 5, 6, 2]]))
    assert output.logits.shape[:2] == (1, 4) and output.labels.shape == (1, 2)


def test_a_comparison_of_labels_is_refused_before_any_training(tmp_path, capsys):
    path = tmp_path / "a.tsv"
    path.write_text("a\tb\n" * 3)
    words = ["compare", "pairs", "--task.path", str(path), "--tokenizers", "bytes,characters"]
    words += ["--objective", "labels", "--workdir", str(tmp_path / "out")]
    assert cli.main(words) == 2
    assert (
        "objective=labels: a comparison asks questions that are answered in writing"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def test_the_first_sentence_of_two_in_order_stands_first(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(f"First of {i}. Second of {i}." for i in range(100)))
    task = experiments.find("sentence-pairs").task
    found = list(dataclasses.replace(task, path=str(path), pairs="order").examples("train"))
    assert {example.target for example in found} == {"right", "swapped"}
    for example in found:
        assert example.prompt.startswith("First") == (example.target == "right")


def test_a_sentence_that_does_not_follow_is_of_another_paragraph(tmp_path):
    paragraphs = [f"First of {i}. Second of {i}. Third of {i}." for i in range(100)]
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(paragraphs))
    task = dataclasses.replace(experiments.find("sentence-pairs").task, path=str(path))
    found = list(task.examples("train"))
    assert {example.target for example in found} == {"next", "other"}
    for example in found:
        one, other = example.prompt.split("\t")
        assert any(f"{one} {other}" in text for text in paragraphs) == (example.target == "next")
        assert any(one in text and other in text for text in paragraphs) == (example.target == "next")
        assert example.group == example.target


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_a_label_that_training_has_not_is_refused_with_its_line(held_out, tmp_path):
    """The same prompt stands in the training file, on another line and with another label."""
    for split in ("train", "test", "validation"):
        lines = [f"{split} {n}\t{'x' if n else 'y'}\n" for n in range(40)]
        if split == held_out:
            lines[2] = "asked 2\tz\n"
        if split == "train":
            lines[7] = "asked 2\tx\n"
        (tmp_path / f"{split}.tsv").write_text("".join(lines))
    task = Pairs(
        path=str(tmp_path / "train.tsv"),
        test_path=str(tmp_path / "test.tsv"),
        validation_path=str(tmp_path / "validation.tsv"),
    )
    experiment = jaxgpt.Experiment(
        task=task,
        tokenizer="bytes",
        model=ModelConfig(num_layers=1, d_model=16, num_heads=2, labels_from="last"),
        objective=Labels(),
        training=jaxgpt.TrainingConfig(batch_size=4),
    )
    with pytest.raises(ValueError) as error:
        prepare(experiment)
    assert str(error.value) == (
        f"{tmp_path / held_out}.tsv: line 3: {held_out} split: the target 'z' of 'asked 2' is no label; "
        "known: x, y"
    )
    if held_out == "test":
        prepare(replaced(experiment, {"training.test_examples": 0}))


@pytest.mark.parametrize(
    ("objective", "labels_from", "good", "bad", "line"),
    [
        (MultipleChoice(), "last", "{}\ta\tb|a", "{}\ta\tb|c", "the target 'c' is not one of the choices"),
        (Span(), "each", "{} stands|{}", "{} stands|x", "the answer 'x' does not stand in 'test 0 stands'"),
        (Labels(), "each", "{} a|x y z", "{} a|x y", "2 tags for 3 words: 'test 0 a'"),
        (Similarity(), "last", "{}\ta|x", "{}\ta\tb|x", "'test 0.ta.tb' has 3 texts where"),
        (Similarity(), "last", "{}\ta|x", "{}\ta|y", "the target 'y' of 'test 0.ta' is no label; known: x"),
    ],
    ids=["multiple_choice", "span", "tags", "texts", "similarity"],
)
def test_a_question_that_no_answer_meets_is_refused_before_training(
    objective, labels_from, good, bad, line, tmp_path
):
    for split, first in (("train", good), ("test", bad)):
        lines = [(good if n else first).format(*[f"{split} {n}"] * 2).replace("|", "\t") for n in range(40)]
        (tmp_path / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    experiment = jaxgpt.Experiment(
        task=Pairs(path=str(tmp_path / "train.tsv"), test_path=str(tmp_path / "test.tsv"), texts=0),
        tokenizer="characters",
        model=ModelConfig(num_layers=1, d_model=16, num_heads=2, labels_from=labels_from),
        objective=objective,
        training=jaxgpt.TrainingConfig(batch_size=4),
    )
    named = re.escape(f"{tmp_path / 'test.tsv'}: line 1: test split: ")
    with pytest.raises(ValueError, match=f"^{named}{line}"):
        prepare(experiment)
    prepare(replaced(experiment, {"training.test_examples": 0}))
