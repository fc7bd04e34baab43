"""The decode loop against a loop that recomputes everything, and rows against their neighbours."""

import numpy as np
import pytest
from generation_models import BOS, EOS, EQUALS, PLUS, POSITIONS, always, naive_for, random_model
from variants import often, seldom

from jaxgpt.generation import Sampling, StopTexts, generate, parts
from jaxgpt.generation import decode_loop as loop
from jaxgpt.generation.decode import Decoding

#: Of unequal length; with the marker, after which coupled digits do not depend on what follows them.
PROMPTS = [
    [BOS, 4, 5, PLUS, 6, EQUALS],
    [BOS, EQUALS],
    [BOS, 9, 9, 9, PLUS, 3, 4, 5, EQUALS, 7, 7],
]
RANDOM = Sampling(temperature=1.0, seed=3)


@pytest.mark.parametrize(
    "name", seldom(sorted(POSITIONS), ("abacus", "alibi", "learned", "none", "relative", "sinusoidal"))
)
def test_greedy_is_the_naive_loop(name):
    model = random_model(position=POSITIONS[name])
    tokens = generate(model, PROMPTS, max_new_tokens=20)
    naive = naive_for(model)
    assert tokens.tolist() == [naive.greedy(prompt, 20) for prompt in PROMPTS]
    assert len(np.unique(tokens)) > 2, "a model that says little tests little"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "fields", [{"window": 5}, {"attention.num_kv_heads": 1, "layers": "scanned"}], ids=str
)
def test_greedy_is_the_naive_loop_in_other_models(fields):
    model = random_model(num_layers=2, **fields)
    naive = naive_for(model)
    tokens = generate(model, PROMPTS, max_new_tokens=20)
    assert tokens.tolist() == [naive.greedy(prompt, 20) for prompt in PROMPTS]


@pytest.mark.thorough
@pytest.mark.parametrize("layers", often(["unrolled", "scanned"], ("unrolled",)))
def test_a_growing_cache_changes_nothing(layers):
    model = random_model(max_length=256, layers=layers, num_layers=2)
    tokens = generate(model, PROMPTS, max_new_tokens=150)
    naive = naive_for(model, 256)
    assert tokens.tolist() == [naive.greedy(prompt, 150) for prompt in PROMPTS]


@pytest.mark.thorough
def test_encoder_decoder_is_the_naive_loop(encoder_decoder):
    sources = [[4, 5, 6, EOS], [7, EOS], [*range(3, 12), EOS]]
    tokens = generate(encoder_decoder, [[BOS]] * 3, source=sources, max_new_tokens=20)
    naive = naive_for(encoder_decoder)
    assert tokens.tolist() == [naive.greedy([BOS], 20, source) for source in sources]
    assert len({tuple(row) for row in tokens.tolist()}) > 1, "the source must matter"


@pytest.mark.thorough
def test_a_row_is_the_same_alone_and_in_a_batch(decoder):
    sampling = Sampling(temperature=1.0, num_samples=2)
    together = generate(decoder, PROMPTS, max_new_tokens=20, sampling=sampling)
    alone = [
        generate(decoder, [prompt], max_new_tokens=20, sampling=sampling, row_ids=[row])
        for row, prompt in enumerate(PROMPTS)
    ]
    np.testing.assert_array_equal(together, np.concatenate(alone))


@pytest.mark.thorough
def test_order_in_the_batch_does_not_matter(decoder):
    forward = generate(decoder, PROMPTS, max_new_tokens=20, sampling=RANDOM)
    back = generate(decoder, PROMPTS[::-1], max_new_tokens=20, sampling=RANDOM, row_ids=[2, 1, 0])
    np.testing.assert_array_equal(forward, back[::-1])


def test_an_array_of_prompts_is_a_list_of_rows(decoder):
    prompts = np.array([[BOS, 4, 5], [BOS, 6, 7], [BOS, 8, 9]])
    listed = generate(decoder, prompts.tolist(), max_new_tokens=20)
    np.testing.assert_array_equal(generate(decoder, prompts, max_new_tokens=20), listed)


def test_no_prompts_give_no_rows(decoder):
    assert generate(decoder, [], max_new_tokens=5).shape == (0, 5)


@pytest.mark.thorough
def test_seeds_and_samples(decoder):
    def draw(**fields):
        sampling = Sampling(temperature=1.0, **fields)
        return generate(decoder, PROMPTS, max_new_tokens=20, sampling=sampling)

    np.testing.assert_array_equal(draw(seed=1), draw(seed=1))
    assert (draw(seed=1) != draw(seed=2)).any(axis=1).all()
    two = draw(seed=1, num_samples=2)
    np.testing.assert_array_equal(two[0::2], draw(seed=1))
    assert len({tuple(row) for row in two.tolist()}) == 6


def test_rows_with_one_prompt_differ_by_their_row(decoder):
    rows = generate(decoder, [PROMPTS[0]] * 3, max_new_tokens=20, sampling=RANDOM)
    assert (rows[0] != rows[1]).any()
    rows = generate(decoder, [PROMPTS[0]] * 3, max_new_tokens=20, sampling=RANDOM, row_ids=[5, 5, 6])
    np.testing.assert_array_equal(rows[0], rows[1])


@pytest.mark.thorough
def test_greedy_samples_are_equal(decoder):
    rows = generate(decoder, PROMPTS, max_new_tokens=20, sampling=Sampling(num_samples=2))
    np.testing.assert_array_equal(rows[0::2], rows[1::2])
    np.testing.assert_array_equal(rows[0::2], generate(decoder, PROMPTS, max_new_tokens=20))


def test_eos_ends_a_row_and_padding_follows(decoder):
    free = generate(decoder, PROMPTS, max_new_tokens=20, sampling=RANDOM)
    eos = int(free[0, 5])
    rows = generate(decoder, PROMPTS, max_new_tokens=20, sampling=RANDOM, eos_id=eos, pad_id=-7)
    for row, expected in zip(rows.tolist(), free.tolist(), strict=True):
        length = expected.index(eos) + 1 if eos in expected else 20
        assert row == expected[:length] + [-7] * (20 - length)
    assert (rows[0] == -7).any()


@pytest.mark.thorough
@pytest.mark.parametrize("cores", often([1, 2], (2,)))
def test_any_of_several_ends_a_row(decoder, cores, monkeypatch):
    monkeypatch.setattr(parts, "cores", lambda: cores)
    prompts = [*PROMPTS, PROMPTS[0][::-1]]
    free = generate(decoder, prompts, max_new_tokens=20, sampling=RANDOM)
    ends = [int(free[0, 5]), int(free[1, 2]), int(free[3, 9])]
    for given in (ends, tuple(ends), np.array(ends)):
        rows = generate(decoder, prompts, max_new_tokens=20, sampling=RANDOM, eos_id=given, pad_id=-7)
        for row, expected in zip(rows.tolist(), free.tolist(), strict=True):
            length = next((i + 1 for i, token in enumerate(expected) if token in ends), 20)
            assert row == expected[:length] + [-7] * (20 - length)
    # With a stop string that comes before an end, and one that comes behind it.
    for stop in (f"<{free[0, 0]}>", f"<{ends[0]}><{free[0, 6]}>"):
        found = generate(
            decoder,
            prompts,
            max_new_tokens=20,
            sampling=RANDOM,
            eos_id=ends,
            stop=StopTexts([stop], lambda ids: "".join(f"<{i}>" for i in ids)),
        )
        assert (found[0] == 0).sum() == (19 if "><" not in stop else (rows[0] == -7).sum())
    np.testing.assert_array_equal(
        generate(decoder, prompts, max_new_tokens=20, sampling=RANDOM, eos_id=[]), free
    )
    for wrong in ("2", [1.5], [-1], [[1]]):
        with pytest.raises(ValueError, match="must be an id, a list of ids, or None"):
            generate(decoder, prompts, max_new_tokens=20, eos_id=wrong)


def test_the_loop_ends_once_all_rows_have(monkeypatch):
    model = always(EOS)
    calls = []
    monkeypatch.setattr(loop, "extend", lambda *args: calls.append(args))
    rows = generate(model, PROMPTS, max_new_tokens=40, eos_id=EOS)
    assert rows.tolist() == [[EOS] + [0] * 39] * 3
    assert not calls


@pytest.mark.parametrize("steps", [1, 7])
def test_the_size_of_chunks_changes_nothing(decoder, steps):
    run = Decoding(decoder, PROMPTS, max_new_tokens=20, sampling=RANDOM, eos_id=EOS)
    while not run.finished:
        run.advance(steps)
    expected = generate(decoder, PROMPTS, max_new_tokens=20, sampling=RANDOM, eos_id=EOS)
    np.testing.assert_array_equal(run.tokens, expected)


@pytest.mark.thorough
def test_compilations_do_not_grow_with_the_prompt(decoder):
    def compiled():
        return loop.prefill._cache_size() + loop.extend._cache_size()

    # Values of the sampling do not count either, only which filters there are.
    generate(decoder, [[BOS]] * 3, max_new_tokens=17, sampling=Sampling(temperature=0.3, top_k=2))
    before = compiled()
    for length in range(1, 17):
        sampling = Sampling(temperature=0.1 * length, top_k=length, seed=length)
        generate(decoder, [[BOS] * length, [BOS], [BOS]], max_new_tokens=17 + length, sampling=sampling)
    assert compiled() == before
    for length in range(17, 33):
        generate(decoder, [[BOS] * length, [BOS], [BOS]], max_new_tokens=20, sampling=sampling)
    assert compiled() <= before + 2, "one more prefill and one more cache"


@pytest.mark.thorough
def test_repetition_penalty_counts_prompt_and_new_tokens(decoder):
    penalty, naive = 1.7, naive_for(decoder)
    ids = list(PROMPTS[0])
    for _ in range(20):
        logits = naive.logits(ids)
        logits = logits.copy()
        for token in set(ids):
            logits[token] = logits[token] / penalty if logits[token] > 0 else logits[token] * penalty
        ids.append(int(logits.argmax()))
    sampling = Sampling(repetition_penalty=penalty)
    rows = generate(decoder, PROMPTS, max_new_tokens=20, sampling=sampling)
    assert rows[0].tolist() == ids[len(PROMPTS[0]) :]
    assert rows[0].tolist() != generate(decoder, PROMPTS, max_new_tokens=20)[0].tolist()


@pytest.mark.thorough
@pytest.mark.parametrize("overflow", ["stop", "slide"])
def test_a_row_beside_it_changes_nothing(monkeypatch, overflow):
    """As on a GPU, where a row does not decode alone."""
    model = random_model()
    sampling = Sampling(temperature=1.0, repetition_penalty=1.2, seed=3)
    given = {"max_new_tokens": 100, "sampling": sampling, "overflow": overflow, "eos_id": EOS}
    alone = generate(model, PROMPTS[:1], **given)
    monkeypatch.setattr(parts, "spare_rows", lambda count: int(count == 1))
    np.testing.assert_array_equal(generate(model, PROMPTS[:1], **given), alone)
