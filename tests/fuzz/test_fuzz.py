"""Damaged and hostile input of every kind: it is read, or refused in one short line within two seconds.

A case is made of its number alone. The default run tries 100, `pytest -m thorough` 900 more, and as many
others as JAXGPT_FUZZ says, such as 20000. To see one again:
`JAXGPT_FUZZ_CASE=1234 pytest -n0 tests/fuzz -k some_cases`.
"""

import os
from collections import Counter

import fuzz_comparisons
import fuzz_corpora
import fuzz_data_files
import fuzz_hub
import fuzz_runs
import fuzz_tokenizers
import fuzz_words
import pytest
from comparison_building import OVERALL, figures, finish, plan

#: Orbax leaves coroutines behind when an array cannot be read; what it raised is looked at.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

#: Of a thousand cases, those of each subject.
CASES = {
    "runs": 200,
    "comparisons": 100,
    "corpora": 200,
    "hub": 100,
    "data_files": 150,
    "tokenizers": 150,
    "prompts": 50,
    "options": 50,
}


#: Of the cases of each subject one in so many is tried by default.
SHARE = 10


@pytest.fixture(scope="module")
def subjects(finished_run, tmp_path_factory):
    """Makes a subject, once."""
    made = {}

    def compared(folder):
        finish(folder, plan("--tokenizers", ",".join(OVERALL), seeds=4), figures)
        return folder

    makers = {
        "runs": lambda folder: fuzz_runs.subject(finished_run),
        "comparisons": lambda folder: fuzz_comparisons.subject(compared(folder)),
        "corpora": fuzz_corpora.subject,
        "hub": fuzz_hub.subject,
        "data_files": fuzz_data_files.subject,
        "tokenizers": fuzz_tokenizers.subject,
        "prompts": lambda folder: fuzz_words.Prompts(finished_run),
        "options": lambda folder: fuzz_words.Options(),
    }

    def subject(name):
        if name not in made:
            made[name] = makers[name](tmp_path_factory.mktemp(name))
        return made[name]

    return subject


def attempt(subject, first: int, count: int) -> None:
    """Try cases; fails with those that ended as no case may."""
    only = os.environ.get("JAXGPT_FUZZ_CASE")
    seeds = [int(only)] if only else range(first, first + count)
    wrong, refused = [], 0
    for seed in seeds:
        done, ending = subject.case(seed)
        refused += ending.refused
        wrong += [f"case {seed}, {done}: {fault}" for fault in ending.faults]
    kinds = Counter(line.rpartition(": ")[2].split(" ")[0] for line in wrong)
    assert not wrong, f"{len(wrong)} faults {dict(kinds)}:\n" + "\n".join(wrong[:40])
    # Cases that change nothing that is read are few: otherwise nothing was tried.
    assert only or refused > count // 10


@pytest.mark.parametrize("name", CASES)
def test_some_cases(subjects, name):
    attempt(subjects(name), 0, CASES[name] // SHARE)


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_a_thousand_cases(subjects, name):
    first = CASES[name] // SHARE
    attempt(subjects(name), first, CASES[name] - first)


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_many_cases(subjects, name):
    if "JAXGPT_FUZZ" not in os.environ:
        pytest.skip("JAXGPT_FUZZ says how many")
    total = int(os.environ["JAXGPT_FUZZ"])
    attempt(subjects(name), 1_000_000, total * CASES[name] // sum(CASES.values()))
