"""The tasks as tensorflow-datasets."""

import dataclasses
import itertools
import multiprocessing
import subprocess
import sys

import pytest
import tensorflow_datasets as tfds

from jaxgpt.runs.builder import FIELDS, task_builder
from jaxgpt.task import SPLITS
from tasks import datasets, text
from tasks.arithmetic import Arithmetic
from tasks.strings import Rule, Strings
from tasks.strings.rules.equal import Equal


def rows_of(source, count=None):
    rows = source.__getitems__(range(count or len(source)))
    return [{name: row[name].decode() for name in FIELDS} for row in rows]


def rows_from(task, split, count, seed=0):
    examples = itertools.islice(task.examples(split, seed), count)
    return [{name: getattr(example, name) for name in FIELDS} for example in examples]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("dataset", "config", "end"),
    [
        ("arithmetic", "addition", b"="),
        ("strings", "equal_places", b""),
        ("strings", "equal_places_long", b""),
        ("strings", "fibonacci_reversed", b""),
        ("strings", "fibonacci_relabelled", b""),
        ("strings", "string_questions", b">"),
        ("strings", "recall", b">"),
        ("strings", "modular_arithmetic", b"="),
    ],
)
def test_data_source_reads_the_examples_of_the_task_in_order(tmp_path, dataset, config, end):
    datasets.register()
    task = datasets.variants(dataset)[config]
    for split, count in (("train", 100_000), ("validation", 1000), ("test", 1000)):
        source = tfds.data_source(f"{dataset}/{config}", split=split, data_dir=tmp_path)
        assert len(source) == count
        assert rows_of(source, 1000) == rows_from(task, split, 1000)
        assert source[count - 1]["prompt"].endswith(end)


@pytest.mark.thorough
def test_a_finite_task_is_written_whole(tmp_path):
    datasets.register()
    source = tfds.data_source("magic_squares/magic_squares", data_dir=tmp_path)
    task = datasets.variants("magic_squares")["magic_squares"]
    assert {split: len(source[split]) for split in SPLITS} == {
        "train": 12_611 + task.drills,
        "validation": 1000,
        "test": 1000,
    }
    assert rows_of(source["train"]) == rows_from(task, "train", None)


def test_a_corpus_is_read_from_the_file_that_is_named(tmp_path):
    path = tmp_path / "films.csv"
    stories = [f"Story {i} of a town by the sea where nothing happens twice. " * 5 for i in range(60)]
    path.write_text("title,synopsis\n" + "".join(f"{i},{story}\n" for i, story in enumerate(stories)))
    with pytest.raises(ValueError, match="no corpus is called 'film'"):
        datasets.register(film=str(path))
    datasets.register(synopses=str(path))
    datasets.register(synopses=str(path))
    with pytest.raises(ValueError, match="is registered with"):
        datasets.register(synopses="other.csv")
    source = tfds.data_source("synopses", data_dir=tmp_path)
    task = datasets.variants("synopses", str(path))["synopses"]
    assert sum(len(source[split]) for split in SPLITS) == 60
    for split in SPLITS:
        assert rows_of(source[split]) == rows_from(task, split, None)


@pytest.mark.parametrize("name", ["film", "arithmetic", "strings"])
def test_a_file_for_what_is_no_corpus_is_refused(name):
    before = dict(datasets._registered)
    message = f"^no corpus is called '{name}'; known: names, synopses, text; without a file: arithmetic, "
    with pytest.raises(ValueError, match=message):
        datasets.register(**{name: "my.tsv"})
    with pytest.raises(ValueError, match=message):
        datasets.variants(name, "my.tsv")
    assert datasets._registered == before


@pytest.mark.parametrize("line", ["word " * 11 + "\n", "word " * 10_000], ids=["lines", "one line"])
def test_rows_of_a_text_are_blocks_of_its_splits(tmp_path, line):
    path = tmp_path / "poem.txt"
    path.write_text((line * 2000)[:100_000])
    for task in datasets.variants("text", str(path)).values():
        plain = dataclasses.replace(text.text().task, path=str(path))
        for split in SPLITS:
            rows = [e.target for e in task.examples(split)]
            assert "".join(rows) == "".join(e.target for e in plain.examples(split))
            assert len(rows) > 2 and max(map(len, rows)) <= 4000
            assert all(len(row) >= 2000 for row in rows[:-1])
            assert all(task.split_of(e) in SPLITS for e in itertools.islice(task.examples(split), 3))
    task_builder(f"poem_{len(line)}", {"text": task})
    source = tfds.data_source(f"poem_{len(line)}", data_dir=tmp_path)
    assert rows_of(source["train"]) == rows_from(task, "train", None)


def test_a_dataset_says_what_it_was_made_from(tmp_path):
    task = Arithmetic(max_digits=3)
    sums = task_builder("small_sums", {"three": task}, train_examples=20, held_out_examples=5, seed=7)
    builder = sums(data_dir=tmp_path)
    builder.download_and_prepare()
    assert rows_of(builder.as_data_source("test")) == rows_from(task, "test", 5, seed=7)
    restored = tfds.builder_from_directory(builder.data_dir).info
    assert restored.metadata["seed"] == 7 and restored.metadata["task"]["max_digits"] == 3
    assert "max_digits" in restored.description


def test_of_few_strings_as_many_are_written_as_there_are(tmp_path):
    task = Strings(rule=Equal(pairs=("0=2",), shortest=5, longest=5), held_out=0.2)
    few = task_builder("few_strings", {"sixteen": task}, train_examples=1000, held_out_examples=5)
    builder = few(data_dir=tmp_path)
    builder.download_and_prepare()
    assert rows_of(builder.as_data_source("train")) == rows_from(task, "train", 16)


@pytest.mark.thorough
def test_a_worker_process_can_read(tmp_path):
    task = Arithmetic(max_digits=3)
    task_builder("picklable_sums", {"three": task}, train_examples=20, held_out_examples=5)
    source = tfds.data_source("picklable_sums/three", split="train", data_dir=tmp_path)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(rows_of, (source,)) == rows_from(task, "train", 20)


def test_every_rule_that_asks_is_a_variant():
    found = datasets.variants("strings")
    for name in Rule.names():
        if Rule.named(name).asks:
            assert found[name] == Strings(rule=Rule.named(name)())
            assert next(found[name].examples("train")).prompt
    assert len(found) == 10 + 18


def test_names_are_read_from_the_file_that_is_named(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text(
        "".join(f"{first}{rest}\n" for first in "abcdefgh" for rest in ("nna", "ora", "lma", "ida"))
    )
    datasets.register(names=str(path))
    source = tfds.data_source("names", data_dir=tmp_path)
    task = datasets.variants("names", str(path))["names"]
    assert sum(len(source[split]) for split in SPLITS) == 32
    for split in SPLITS:
        assert rows_of(source[split]) == rows_from(task, split, None)


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_every_variant_is_a_config(name):
    datasets.register()
    assert [config.name for config in tfds.builder_cls(name).BUILDER_CONFIGS] == list(datasets.variants(name))


def test_names_are_given_once():
    datasets.register()
    datasets.register()
    with pytest.raises(ValueError, match="arithmetic already registered"):
        task_builder("arithmetic", {"addition": Arithmetic()})
    with pytest.raises(ValueError, match="'nothing' has no variants"):
        task_builder("nothing", {})


@pytest.mark.thorough
def test_tasks_are_imported_without_tensorflow_datasets():
    code = (
        "import sys, jaxgpt, tasks, tasks.datasets; from jaxgpt.task import Task; Task.names();"
        "sys.exit('tensorflow_datasets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.thorough
def test_tensorflow_is_never_imported(tmp_path):
    code = (
        "import sys, tensorflow_datasets as tfds; from tasks import datasets; datasets.register();"
        "tfds.data_source('magic_squares/magic_squares_document', data_dir=sys.argv[1]);"
        "sys.exit('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
