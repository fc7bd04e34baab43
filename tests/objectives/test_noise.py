"""What is done to texts that are to be restored: each way by its definition, and training by it."""

import itertools
import random

import numpy as np
import pytest

import jaxgpt
from jaxgpt.cli import main as cli
from jaxgpt.core import fields
from jaxgpt.core.nested import replaced
from jaxgpt.data.noised import build_noised
from jaxgpt.noise import Marks, Noise
from jaxgpt.noise.bart import Bart
from jaxgpt.noise.base import poisson
from jaxgpt.noise.document_rotation import DocumentRotation
from jaxgpt.noise.masked_span import MaskedSpan
from jaxgpt.noise.sentence_permutation import SentencePermutation
from jaxgpt.noise.span_corruption import SpanCorruption
from jaxgpt.noise.text_infilling import TextInfilling
from jaxgpt.noise.token_deletion import TokenDeletion
from jaxgpt.noise.token_masking import TokenMasking
from jaxgpt.runs import experiments
from jaxgpt.task import Example
from jaxgpt.tokenizers.characters import Characters
from jaxgpt.training.prepare import prepare

STOP = 3
MARKS = Marks(tuple(range(1000, 1100)), frozenset({STOP}))
TOKENS = [100 + i if i % 9 else STOP for i in range(1, 61)]  # every ninth ends a sentence


def spoiled(noise, count=200, tokens=TOKENS):
    """The same text spoiled many times: pairs of source and target."""
    return [noise.spoil(tokens, random.Random(seed), MARKS) for seed in range(count)]


def test_masked_tokens_are_a_share_and_the_others_stay():
    for source, target in spoiled(TokenMasking(0.15)):
        assert target == TOKENS
        assert source.count(1000) == 9
        assert all(s in (1000, t) for s, t in zip(source, TOKENS, strict=True))


def test_deleted_tokens_leave_nothing_behind():
    for source, target in spoiled(TokenDeletion(0.15)):
        assert target == TOKENS
        assert len(source) == 60 - 9
        rest = iter(TOKENS)
        assert all(token in rest for token in source)  # in their order


def test_spans_become_one_mask_each():
    lengths = []
    for source, target in spoiled(TextInfilling(0.3, 3.0)):
        assert target == TOKENS
        kept = [token for token in source if token != 1000]
        assert len(kept) == 60 - 18
        rest = iter(TOKENS)
        assert all(token in rest for token in kept)
        lengths.append(18 / source.count(1000))
    # The last span is cut to fit, so that the mean is a little below that of whole spans.
    assert 2.2 < np.mean(lengths) < 3.6


def test_spans_of_length_0_put_a_mask_between_two_tokens():
    # Spans of one token or more that hide 18 tokens are 18 at most, and no source is longer than its text.
    found = [source for source, _ in spoiled(TextInfilling(0.3, 1.0))]
    assert any(len(source) > len(TOKENS) and source.count(1000) > 18 for source in found)


@pytest.mark.parametrize("kind", [TextInfilling, Bart])
def test_settings_whose_sources_would_be_cut_are_refused(kind):
    lengths = [len(source) for source, _ in spoiled(kind(0.3, 0.5))]
    assert np.mean(lengths) == pytest.approx((0.7 + 0.3 / 0.5) * len(TOKENS), abs=4)
    message = r"\Anoise\.mean=0\.1 with noise\.share=0\.3 makes sources 3\.7 times as long .*; raise "
    with pytest.raises(ValueError, match=message + r"noise\.mean to 0\.38 or more, or lower noise\.share\Z"):
        kind(0.3, 0.1)
    assert kind(0.3, 0.38) and kind(0.05, 0.1)


def test_poisson_draws_have_their_mean_and_variance():
    rng = random.Random(0)
    draws = [poisson(rng, 3.0) for _ in range(4000)]
    assert np.mean(draws) == pytest.approx(3, abs=0.12)
    assert np.var(draws) == pytest.approx(3, abs=0.35)


def test_sentences_are_shuffled_whole():
    found = spoiled(SentencePermutation(), 50)
    ends = [i for i, token in enumerate(TOKENS) if token == STOP]
    sentences = {tuple(TOKENS[a + 1 : b + 1]) for a, b in zip([-1, *ends], [*ends, 59], strict=True)}
    for source, target in found:
        assert target == TOKENS
        assert sorted(source) == sorted(TOKENS)
        text = " ".join(map(str, source))
        assert all(" ".join(map(str, sentence)) in text for sentence in sentences)
    assert len({tuple(source) for source, _ in found}) > 10


def test_sentences_end_with_three_marks():
    text = "ab! cd? ef. gh"
    tokenizer = Characters("abcdefgh!?. ")
    options = {"max_length": 40, "copies": 50, "seed": 0}
    rows = build_noised([Example("", text)], tokenizer, SentencePermutation(), **options)
    found = {tokenizer.decode(rows.source_ids(row)) for row in range(50)}
    assert found <= {"".join(order) for order in itertools.permutations(["ab!", " cd?", " ef.", " gh"])}
    assert len(found) > 10  # of 24


def test_bart_shuffles_sentences_and_then_hides_spans():
    moved = 0
    for source, target in spoiled(Bart()):
        assert target == TOKENS
        kept = [token for token in source if token != 1000]
        assert len(kept) == 60 - 18
        rest = iter(TOKENS)
        moved += not all(token in rest for token in kept)
    assert moved > 190  # of 200: some text is left of most of the seven sentences


def test_a_rotated_text_begins_anywhere():
    starts = set()
    for source, target in spoiled(DocumentRotation()):
        first = (source + source).index(TOKENS[0])
        assert target == TOKENS
        assert source[first:] + source[:first] == TOKENS
        starts.add(first)
    assert len(starts) > 30


def test_of_a_masked_span_the_decoder_writes_nothing_else():
    starts = set()
    for source, target in spoiled(MaskedSpan(0.4)):
        first = source.index(1000)
        assert source == [*TOKENS[:first], *[1000] * 24, *TOKENS[first + 24 :]]
        assert target == TOKENS[first : first + 24]
        starts.add(first)
    assert (min(starts), max(starts)) == (0, 36)


def test_spans_are_written_behind_their_sentinels():
    for source, target in spoiled(SpanCorruption()):
        marks = [token for token in source if token >= 1000]
        assert marks == [1000, 1001, 1002]  # 9 hidden tokens in spans of 3
        assert marks == [token for token in target if token >= 1000]
        assert source[0] < 1000  # text comes first
        spans, current = {}, None
        for token in target:
            if token >= 1000:
                current = spans.setdefault(token, [])
            else:
                current.append(token)
        assert sum(map(len, spans.values())) == 9
        restored = [t for token in source for t in (spans[token] if token >= 1000 else [token])]
        assert restored == TOKENS


@pytest.mark.parametrize("name", Noise.names())
@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_short_texts_survive(name, length):
    for source, target in spoiled(Noise.named(name)(), 20, TOKENS[:length]):
        assert target
        assert len(source) <= 2 * length + 1


def experiment(tmp_path, **words):
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(f"Line {i} of it. The tide comes in. It goes out." for i in range(300)))
    given = {
        "task.path": str(path),
        "task.split-by": "blocks",
        "task.block-characters": "200",
        "model": "small_encoder_decoder",
        "model.max-length": "48",
        "training.steps": "20",
        "training.eval-every": "10",
        "training.sample-every": "0",
    }
    return fields.override(
        experiments.find("text"), given | {k.replace("__", "."): v for k, v in words.items()}
    )


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["bart", "span_corruption"])
def test_an_encoder_decoder_learns_to_restore_texts(name, tmp_path, capsys):
    found = experiment(tmp_path, objective="denoising", objective__noise=name, objective__copies="2")
    prepared = prepare(found)
    marks = found.objective.marks
    assert prepared.model.vocab_size == prepared.tokenizer.vocab_size + marks
    first = prepared.tokenizer.vocab_size
    assert (prepared.table.source >= first).any()
    assert (prepared.table.tokens >= first).any() == (name == "span_corruption")
    said = []
    jaxgpt.train(found, tmp_path / "run", say=said.append)
    losses = [line for line in said if "validation loss" in line]
    assert losses
    assert jaxgpt.load(tmp_path / "run").model.config.marks == marks
    words = ["--prompt", "The tide comes", "--max-new-tokens", "5"]
    assert cli.main(["generate", str(tmp_path / "run"), *words]) == 0
    assert cli.main(["evaluate", str(tmp_path / "run")]) == 2
    assert "no questions to score" in capsys.readouterr().err


def test_a_vocabulary_too_small_for_the_marks_names_both(tmp_path):
    found = experiment(tmp_path, objective="denoising", objective__noise="span_corruption")
    ids = prepare(found).tokenizer.vocab_size
    message = f"vocab_size={ids + 99} is smaller than the tokenizer's {ids} ids and 100 more that mark"
    with pytest.raises(ValueError, match=message):
        prepare(replaced(found, {"model.vocab_size": ids + 99}))


def test_what_noise_does_not_go_with_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"objective=denoising"):
        prepare(experiment(tmp_path))
    with pytest.raises(ValueError, match="objective=denoising is for texts"):
        prepare(experiment(tmp_path, objective="denoising", model="tiny"))
    with pytest.raises(ValueError, match=r"share=1\.5 must be above 0"):
        experiment(tmp_path, objective="denoising", objective__noise__share="1.5")
