"""Searches in generations: sets without conflict, arms at equal time, going on, one line for a mistake."""

import dataclasses
import errno
import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from tiny_search import CONFIG, NOTHING, PROBLEM, members

from jaxgpt import search
from jaxgpt.search import arms, generations, pool, search_findings, smaller, stand_file
from jaxgpt.search.generation_step import Beside
from jaxgpt.search.improving import Improving
from jaxgpt.search.set_model import BigramModel
from jaxgpt.search.set_tokens import END, PAD, SetTokens
from tasks.constructions import Problem

pytestmark = pytest.mark.usefixtures("little_optimized")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def found(told, folder):
    """A search with every arm."""
    return search.search(PROBLEM, CONFIG, seeds=2, arms=list(search.ARMS), workdir=folder, say=told.append)


def test_kept_sets_hold_no_conflict_and_come_once_the_largest_first(found):
    for stands in found.stands.values():
        assert len(stands) == 2
        for stand in stands:
            kept = members(stand.sets)
            assert 0 < len(kept) <= CONFIG.keep and len(set(kept)) == len(kept)
            assert not any(PROBLEM.verify(one) for one in kept)
            sizes = [len(one) for one in kept]
            assert sizes == sorted(sizes, reverse=True) and stand.best == sizes[0]
            assert sum(stand.records[-1].kept.values()) == len(kept)


def test_arms_have_the_time_of_the_first(found):
    for seed, first in enumerate(found.stands["transformer"]):
        assert len(first.records) == 1 + CONFIG.generations
        for arm, stands in found.stands.items():
            stand = stands[seed]
            longest = max(record.elapsed for record in stand.records)
            assert first.elapsed <= stand.elapsed + 1e-9 or arm == "transformer"
            assert stand.elapsed <= first.elapsed + longest + 1e-9


def test_arms_begin_with_the_same_sets(found):
    first = found.stands["transformer"][0].records[0]
    for arm in ("none", "bigram"):
        assert found.stands[arm][0].records[0].kept == first.kept
        assert found.stands[arm][0].records[0].repaired == first.repaired


def test_each_turn_is_told(found, told):
    assert told[0] == "compiling"
    assert any(line.startswith("seed 1  transformer  generation 2  best ") for line in told)
    assert sum("transformer-alone" in line for line in told) >= 2


def test_a_search_that_is_called_again_is_read(found, folder, told):
    count = len(told)
    again = search.search(PROBLEM, CONFIG, seeds=2, arms=list(search.ARMS), workdir=folder, say=told.append)
    assert told[count:] == ["compiling"]
    for arm, stands in found.stands.items():
        for one, other in zip(stands, again.stands[arm], strict=True):
            assert np.array_equal(one.sets, other.sets) and one.records == other.records


def test_a_search_is_read_from_its_directory(found, folder, tmp_path):
    again = search.read(folder)
    assert (again.problem, again.config, again.finished) == (PROBLEM, CONFIG, True)
    assert {arm: again.best(arm) for arm in again.stands} == {arm: found.best(arm) for arm in found.stands}
    with pytest.raises(ValueError, match="holds no search"):
        search.read(tmp_path)
    told = json.loads((folder / "search.json").read_text())
    wrong = [{"problem": 1}, {"arms": []}, {"seeds": 0}, {"config": {}}]
    wrong.append({"config": told["config"] | {"generations": "2"}})
    for text in ("[]", "{}", *(json.dumps(told | one) for one in wrong)):
        (tmp_path / "search.json").write_text(text)
        with pytest.raises(ValueError, match="does not say what is searched; choose another --workdir"):
            search.read(tmp_path)
        with pytest.raises(ValueError, match="does not say what is searched"):
            search.search(PROBLEM, CONFIG, workdir=tmp_path)


def test_more_generations_go_on_as_if_never_stopped(tmp_path):
    def run(count, **more):
        config = dataclasses.replace(CONFIG, generations=count)
        return search.search(PROBLEM, config, arms=["transformer"], say=lambda line: None, **more)

    run(1, workdir=tmp_path)
    stopped, whole = run(3, workdir=tmp_path).stands, run(3).stands
    one, other = stopped["transformer"][0], whole["transformer"][0]
    assert np.array_equal(one.sets, other.sets) and one.temperature == other.temperature
    assert one.known.keys() == other.known.keys()
    for name, value in one.known.items():
        assert np.array_equal(value, other.known[name]), name


def test_a_shorter_search_is_refused_and_leaves_what_stands(found, folder):
    """Its other arms would have the time of fewer generations than the first arm made."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shorter = dataclasses.replace(CONFIG, generations=1)
    for config, seeds, told in ((shorter, 2, "generations=2"), (CONFIG, 1, "seeds=2")):
        with pytest.raises(ValueError, match=f"{told}, more than 1; ask for at least so many, or .*workdir$"):
            search.search(PROBLEM, config, seeds=seeds, workdir=folder, say=lambda line: None)
    for path, content in before.items():
        assert path.read_bytes() == content, path
    free = search.going_on_or_free(folder, PROBLEM, shorter, seeds=2, arms=list(search.ARMS))
    assert free == folder.with_name(f"{folder.name}-2")


def test_what_does_not_fit_is_told_in_one_line(found, folder, tmp_path):
    def refused(message, *, config=CONFIG, **given):
        with pytest.raises(ValueError, match=message) as error:
            search.search(PROBLEM, config, say=lambda line: None, **given)
        assert "\n" not in str(error.value)

    refused("no arm is called 'magic'; known: transformer, none", arms=["magic"])
    refused("each once", arms=["none", "none"])
    refused("seeds=0 must be at least 1", seeds=0)
    refused("give rows of 25 elements", pool=np.zeros((1, 24), bool))
    refused("config.keep differs", config=dataclasses.replace(CONFIG, keep=13), workdir=folder)
    refused("its arms have the time of transformer; name that one first", workdir=folder, arms=["none"])
    other = Problem.named("isosceles")(n=6)
    with pytest.raises(ValueError, match=r"problem\.n differs; choose another --workdir"):
        search.search(other, CONFIG, workdir=folder)
    for name in ("temperature", "sharpness", "policy_rate"):
        for value in (0, float("inf"), float("nan")):
            with pytest.raises(ValueError, match=f"^{name}={value} must be above 0 and finite$"):
                search.SearchConfig(**{name: value})
    with pytest.raises(ValueError, match="steps=2147483648 must be at least 0 and below"):
        search.SearchConfig(steps=2**31)
    with pytest.raises(ValueError, match=r"model\.vocab_size=7: it follows from the problem"):
        search.SearchConfig(model=dataclasses.replace(CONFIG.model, vocab_size=7))
    (tmp_path / "stands").mkdir()
    (tmp_path / "stands" / "none-0.npz").write_bytes(b"PK half of a file")
    refused("has no search.json", workdir=tmp_path)
    (tmp_path / "search.json").write_text(json.dumps(json.loads((folder / "search.json").read_text())))
    (tmp_path / "stands" / "transformer-0.npz").write_bytes(b"PK half of a file")
    refused("is not where a search stands", workdir=tmp_path, arms=["transformer"], seeds=2)


def test_what_a_killed_search_was_writing_is_removed(found, folder, tmp_path):
    asked = json.loads((folder / "search.json").read_text())
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    before = set(folder.rglob("*"))
    for place in (folder, tmp_path):  # one of a search, and one in which none was begun
        for inner in (place, place / "stands", place / "best"):
            inner.mkdir(exist_ok=True)
            (inner / f".none-0.npz.{ended.pid}-140.tmp").write_bytes(b"PK half of a file")
        with generations._held(place, asked):
            assert not list(place.rglob("*.tmp"))
    (folder / "best").rmdir()
    assert set(folder.rglob("*")) == before


def test_stands_are_read_as_they_were_written(found, tmp_path):
    for stands in found.stands.values():
        stand_file.save(stands[0], tmp_path / "stand.npz")
        again = stand_file.load(tmp_path / "stand.npz")
        assert again.records == stands[0].records and np.array_equal(again.sets, stands[0].sets)
        assert {n: v.tolist() for n, v in again.known.items()} == {
            n: v.tolist() for n, v in stands[0].known.items()
        }


def test_sets_that_are_brought_are_kept(found):
    """The best that is known of this size, which four moves do not find."""
    best = search.local(PROBLEM, states=64, steps=400).best
    brought = np.isin(np.arange(25), list(best))[None]
    config = dataclasses.replace(CONFIG, generations=1, steps=0)
    stand = search.search(PROBLEM, config, arms=["none"], pool=brought, say=lambda line: None).stands["none"][
        0
    ]
    assert best in members(stand.sets) and stand.records[0].best == len(best)


def test_sets_that_are_brought_are_searched_from():
    """The first states begin from them, filled up, the largest first; the others as without them."""
    begun = []

    class Watched(Improving):
        def search(self, sets, key, steps=None):
            begun.append(sets)
            return super().search(sets, key, steps)

    best = sorted(search.local(PROBLEM, states=64, steps=50).best)
    brought = np.zeros((2, 25), bool)
    brought[0, best[:2]] = brought[1, best[:4]] = True
    tokens = SetTokens(25, "elements", 14)
    ways = arms.ways(["bigram", "none"], Watched(PROBLEM, CONFIG), tokens, CONFIG, Beside(NOTHING, 0.0))
    for way in ways.values():
        way.begin(0, NOTHING)
        without = begun.pop()
        stand = way.begin(0, brought)
        sets = begun.pop()
        assert sets.shape == without.shape and np.array_equal(sets[2:], without[2:])
        for start, one in zip(members(brought)[::-1], members(sets[:2]), strict=True):
            assert start <= one and not PROBLEM.verify(one)
            assert all(PROBLEM.verify(one | {element}) for element in set(range(25)) - one)
        assert sum(stand.records[0].repaired.values()) == CONFIG.states
    many = search.fill(PROBLEM, states=64).sets  # more than there are states
    assert len({*members(many)}) > CONFIG.states
    way.begin(0, many)
    assert np.array_equal(begun.pop(), pool.best(many, CONFIG.states))


def test_repair_drops_only_elements_in_conflict_and_fills_up():
    improving = Improving(PROBLEM, CONFIG)
    sets = np.random.default_rng(0).random((CONFIG.states, 25)) < 0.4
    sets[0] = np.isin(np.arange(25), list(search.local(PROBLEM, states=64, steps=50).best))
    fixed = improving.repair(sets, jax.random.key(0))
    assert np.array_equal(fixed[0], sets[0])  # nothing to repair, and full already
    for before, after in zip(members(sets), members(fixed), strict=True):
        assert not PROBLEM.verify(after)
        assert all(PROBLEM.verify(after | {element}) for element in set(range(25)) - after)
        in_conflict = {element for conflict in PROBLEM.verify(before) for element in conflict}
        assert before - in_conflict <= after


def test_proposals_without_the_symmetry_get_it():
    grid = Problem.named("no_three")(n=4)
    improving = Improving(grid, dataclasses.replace(CONFIG, symmetry="half-turn"))
    sets = np.random.default_rng(1).random((CONFIG.states, 16)) < 0.4
    fixed = improving.repair(sets, jax.random.key(0))
    assert np.array_equal(fixed, fixed[:, ::-1])  # the half turn of a grid
    assert not any(grid.verify(one) for one in members(fixed))


def test_a_generation_in_which_nothing_is_read_keeps_the_sets(found):
    class Mute(BigramModel):
        def write(self, known, begun, temperature, seed):
            return np.full((len(begun), 5), PAD, np.int32)

    improving = Improving(PROBLEM, CONFIG)
    tokens = SetTokens(25, "elements", 12)
    (way,) = arms.ways(["bigram"], improving, tokens, CONFIG, Beside(NOTHING, 0.0)).values()
    way = dataclasses.replace(way, model=Mute(tokens, CONFIG))
    before = way.begin(0, np.zeros((0, 25), bool))
    after = way.after(before, 0)
    assert np.array_equal(after.sets, before.sets)
    assert after.records[-1].note == "none of 16 proposals stands for a set; the kept sets stay"


def test_a_generation_in_which_nothing_is_new_says_so_and_loses_nothing():
    """Every proposal is the first of the kept sets."""

    class Echo(BigramModel):
        def write(self, known, begun, temperature, seed):
            return np.tile(tokens.rows(before.sets[:1]).tokens[0, 1:], (len(begun), 1))

    tokens = SetTokens(25, "elements", 12)
    (way,) = arms.ways(["bigram"], Improving(PROBLEM, CONFIG), tokens, CONFIG, Beside(NOTHING, 0.0)).values()
    before = way.begin(0, NOTHING)
    after = dataclasses.replace(way, model=Echo(tokens, CONFIG)).after(before, 0)
    record = after.records[-1]
    assert (record.note, record.new, record.readable) == ("no proposal is new", 0, CONFIG.states)
    assert record.repeated == pytest.approx(15 / 16)
    assert generations._told(after).endswith("(no proposal is new)")
    assert (after.sets.sum(1)[: len(before.sets)] >= before.sets.sum(1)).all()


def test_what_is_told_of_proposals_counts_each_readable_one_once():
    """Three of sixteen can be read, of which one holds a conflict; the others fill no share."""

    class Three(BigramModel):
        def write(self, known, begun, temperature, seed):
            rows = np.full((len(begun), 5), PAD, np.int32)
            for row, chosen in ((1, [0, 1, 2]), (4, [0, 1]), (9, [7])):
                rows[row, : len(chosen) + 1] = [*(3 + element for element in chosen), END]
            return rows

    tokens = SetTokens(25, "elements", 12)
    (way,) = arms.ways(["bigram"], Improving(PROBLEM, CONFIG), tokens, CONFIG, Beside(NOTHING, 0.0)).values()
    way = dataclasses.replace(way, model=Three(tokens, CONFIG))
    record = way.after(way.begin(0, NOTHING), 0).records[-1]
    assert record.readable == 3 and record.proposed == {1: 1, 2: 1, 3: 1}
    assert record.conflicts == pytest.approx(1 / 3)
    assert sum(record.repaired.values()) == 3 and sum(record.improved.values()) == CONFIG.states


def test_repeated_proposals_are_written_warmer_until_they_are_no_more():
    """The temperature that a model writes at, and that of the record."""

    class Parrot(BigramModel):
        heard = [(0,), (0,), range(16), range(16), range(16)]
        temperatures = []

        def write(self, known, begun, temperature, seed):
            words = self.heard[len(self.temperatures)]
            self.temperatures.append(temperature)
            rows = [[3 + words[row % len(words)], END, PAD] for row in range(len(begun))]
            return np.array(rows, np.int32)

    tokens = SetTokens(25, "elements", 12)
    (way,) = arms.ways(["bigram"], Improving(PROBLEM, CONFIG), tokens, CONFIG, Beside(NOTHING, 0.0)).values()
    way = dataclasses.replace(way, model=Parrot(tokens, CONFIG))
    stand = way.begin(0, NOTHING)
    for _ in Parrot.heard:
        stand = way.after(stand, 0)
    assert Parrot.temperatures == pytest.approx([1.0, 1.1, 1.2, 1.1, 1.0])
    assert stand.temperature == pytest.approx(1.0)  # never below that of the search
    told = [(record.temperature, record.repeated) for record in stand.records[1:]]
    assert told == list(zip(Parrot.temperatures, [15 / 16, 15 / 16, 0, 0, 0], strict=True))


def test_the_best_sets_are_kept_each_once():
    sets = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 1]], bool)
    assert np.array_equal(pool.best(sets, 3), sets[[1, 3, 0]])
    assert pool.new(sets, sets[:1]).tolist() == [False, True, False, True]


def test_the_best_of_smaller_problems_stand_where_they_have_a_place():
    config = dataclasses.replace(CONFIG, smaller=2, steps=50)
    found, seconds = smaller.smaller_sets(PROBLEM, config)
    sets = members(found)
    assert seconds > 0 and sets and not any(PROBLEM.verify(one) for one in sets)
    reach = {max(max(divmod(point, 5)) for point in one) for one in sets}
    assert reach == {2, 3}  # the last row or column of grids of 3 and 4
    for n in (3, 4):
        best = max(len(one) for one in sets if max(max(divmod(point, 5)) for point in one) == n - 1)
        assert best == dataclasses.replace(PROBLEM, n=n).best_known()
    with pytest.raises(ValueError, match="has no so many smaller problems"):
        smaller.smaller_sets(PROBLEM, dataclasses.replace(CONFIG, smaller=5))


def test_arms_with_a_model_pay_for_smaller_problems_once():
    config = dataclasses.replace(CONFIG, smaller=2)
    stands = search.search(PROBLEM, config, arms=["bigram", "none"], say=lambda line: None).stands
    (bigram,), (none,) = stands.values()
    assert [record.seconds.get("smaller", 0) > 0 for record in bigram.records] == [False, True, False]
    assert bigram.elapsed <= none.elapsed and not any("smaller" in record.seconds for record in none.records)


def test_smaller_problems_are_not_searched_where_no_arm_has_a_model(monkeypatch):
    searched = []

    def counted(problem, config):
        searched.append(problem)
        return NOTHING, 0.0

    monkeypatch.setattr(generations, "smaller_sets", counted)
    config = dataclasses.replace(CONFIG, smaller=2, generations=1)
    for arm, count in (("none", 0), ("bigram", 1)):
        search.search(PROBLEM, config, arms=[arm], say=lambda line: None)
        assert len(searched) == count


def test_as_many_sets_may_be_kept_as_there_are():
    """Fewer than `keep` in one generation, more in the next, neither a power of two."""
    grid = Problem.named("isosceles")(n=3)
    config = dataclasses.replace(CONFIG, keep=100, states=64)
    (stand,) = search.search(grid, config, arms=["transformer"], say=lambda line: None).stands["transformer"]
    assert len(stand.records) == 3 and 0 < len(stand.sets) < 100


def test_orbits_in_part_are_no_conflict():
    """Two points of one orbit of four are dropped by the symmetry, not by a conflict."""

    class Two(BigramModel):
        def write(self, known, begun, temperature, seed):
            return np.tile(np.array([3 + 3, 3 + 17, END], np.int32), (len(begun), 1))

    grid, config = Problem.named("no_three")(n=10), dataclasses.replace(CONFIG, symmetry="quarter-turn")
    tokens = SetTokens(100, "elements", 24)
    (way,) = arms.ways(
        ["bigram"], Improving(grid, config), tokens, config, Beside(np.zeros((0, 100), bool), 0.0)
    ).values()
    way = dataclasses.replace(way, model=Two(tokens, config))
    record = way.after(way.begin(0, np.zeros((0, 100), bool)), 0).records[-1]
    assert not grid.verify({3, 17}) and record.readable == 16 and record.conflicts == 0


def test_top_fifth_is_the_mean_of_the_largest_fifth():
    assert search_findings.top_fifth({3: 8, 4: 1, 6: 1}) == 5


def test_a_search_goes_on_after_a_disk_that_was_full(tmp_path, monkeypatch):
    config, save, saved = dataclasses.replace(CONFIG, generations=3), np.savez, []

    def run(**more):
        found = search.search(PROBLEM, config, arms=["bigram"], say=lambda line: None, **more)
        return found.stands["bigram"][0]

    def full(*given, **arrays):
        saved.append(given)
        if len(saved) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(*given, **arrays)

    whole = run()
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"bigram-0.npz cannot be written .*; make room"):
        run(workdir=tmp_path)
    assert len(stand_file.load(tmp_path / "stands" / "bigram-0.npz").records) == 2
    stand = run(workdir=tmp_path)
    assert np.array_equal(stand.sets, whole.sets) and len(stand.records) == 4
    assert all(np.array_equal(value, stand.known[name]) for name, value in whole.known.items())


def test_a_full_disk_leaves_the_last_stand(found, tmp_path, monkeypatch):
    (stand, other) = found.stands["transformer"]
    path = tmp_path / "stand.npz"
    stand_file.save(stand, path)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"stand.npz cannot be written .*; make room"):
        stand_file.save(other, path)
    monkeypatch.undo()
    assert np.array_equal(stand_file.load(path).sets, stand.sets)
    assert [file.name for file in tmp_path.iterdir()] == ["stand.npz"]
