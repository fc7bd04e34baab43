"""From text to text: completions, stop strings, streaming."""

import numpy as np
import pytest
from generation_models import BOS, always, favour, random_model

from jaxgpt.generation import Sampling, StopTexts, complete, encode_prompts, generate, stream
from jaxgpt.generation import completing as text
from jaxgpt.generation.stopping import Watch, held_back
from jaxgpt.runs.run import Run
from jaxgpt.task import Task
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.bytes import Bytes
from jaxgpt.training.experiment import Experiment

RANDOM = Sampling(temperature=1.0, seed=1)
PROMPTS = ["12+3=", "", "a", "99+99=", "b=", "7", "1+1=", "ab"]


class Pieces:
    """A tokenizer for tests whose tokens are longer than a character."""

    texts = ["", "", "", "a", "ab", "ba", "bb", "aab", "b", "abb", "bab", "baa", "aa", "aba", "c", "ca", "cb"]
    pad_id, bos_id, eos_id, vocab_size = 0, 1, 2, 17
    end_ids = (2,)

    def decode(self, ids):
        return "".join(self.texts[i] for i in ids)

    settled = decode


@pytest.mark.thorough
def test_completions_are_those_of_generate(decoder, characters):
    got = complete(decoder, characters, PROMPTS, max_new_tokens=12, sampling=RANDOM)
    prompt_ids, source = encode_prompts(decoder, characters, PROMPTS)
    assert source is None and prompt_ids[0] == [BOS, *characters.encode("12+3=")]
    rows = generate(decoder, prompt_ids, max_new_tokens=12, sampling=RANDOM, eos_id=characters.eos_id)
    assert got == [[characters.decode(row)] for row in rows.tolist()]
    assert len({one for [one] in got}) > 3
    arguments = {"max_new_tokens": 12, "sampling": RANDOM, "batch_size": 3}
    back = complete(decoder, characters, PROMPTS[::-1], row_ids=range(len(PROMPTS))[::-1], **arguments)
    assert back == got[::-1]


@pytest.mark.thorough
def test_batches_do_not_change_completions_and_report_progress(decoder, characters):
    sampling = Sampling(temperature=1.0, num_samples=2)
    seen = []
    arguments = {"max_new_tokens": 12, "sampling": sampling}
    small = complete(
        decoder, characters, PROMPTS, batch_size=3, progress=lambda *done: seen.append(done), **arguments
    )
    assert small == complete(decoder, characters, PROMPTS, **arguments)
    assert [len(one) for one in small] == [2] * 8
    assert seen == [(3, 8), (6, 8), (8, 8)]


@pytest.mark.thorough
def test_completions_of_an_encoder_decoder(encoder_decoder, characters):
    prompt_ids, source = encode_prompts(encoder_decoder, characters, PROMPTS)
    assert prompt_ids == [[BOS]] * 8 and source[2] == [*characters.encode("a"), characters.eos_id]
    rows = generate(encoder_decoder, prompt_ids, source=source, max_new_tokens=12, eos_id=characters.eos_id)
    got = complete(encoder_decoder, characters, PROMPTS, max_new_tokens=12)
    assert got == [[characters.decode(row)] for row in rows.tolist()]


def test_nothing_to_complete(decoder, characters):
    assert complete(decoder, characters, [], max_new_tokens=3) == []
    with pytest.raises(ValueError, match="batch_size=0 must be at least 1"):
        complete(decoder, characters, ["1"], max_new_tokens=3, batch_size=0)
    with pytest.raises(ValueError, match="2 row_ids for 1 prompts; give one a prompt"):
        complete(decoder, characters, ["1"], max_new_tokens=3, row_ids=[0, 1])
    with pytest.raises(ValueError, match=r"row_ids\[0\]=-1 must be a whole number"):
        complete(decoder, characters, ["1"], max_new_tokens=3, row_ids=[-1])


@pytest.mark.thorough
def test_ids_that_the_tokenizer_lacks_are_not_generated(characters):
    model = always(20, vocab_size=24)
    assert generate(model, [[BOS]], max_new_tokens=1) == [[20]]
    [[got]] = complete(model, characters, [""], max_new_tokens=1)
    assert got in characters.alphabet


def test_an_eos_at_once_is_an_empty_completion(characters):
    assert complete(always(characters.eos_id), characters, ["1"], max_new_tokens=5) == [[""]]


@pytest.mark.parametrize("start", [0, 13, 14, 15, 16, 17, 30])
def test_stop_strings_cut_the_text_wherever_chunks_end(characters, start):
    decoder = favour(*[(special, -1000.0) for special in range(3)])
    arguments = {"max_new_tokens": 40, "sampling": RANDOM}
    [[free]] = complete(decoder, characters, ["1+"], **arguments)
    stop = free[start : start + 4]
    expected = free[: free.index(stop)]
    assert complete(decoder, characters, ["1+"], stop=[stop, "no such"], **arguments) == [[expected]]
    prompt = [BOS, *characters.encode("1+")]
    for every in (1, 3, 64):
        pieces = list(stream(decoder, characters, prompt, stop=[stop], every=every, **arguments))
        assert "".join(pieces) == expected
        assert all(pieces)


@pytest.mark.thorough
def test_stop_strings_across_tokens(decoder):
    tokenizer = Pieces()
    rows = generate(decoder, [[BOS]] * 4, max_new_tokens=40, sampling=RANDOM)
    stopped = 0
    for stop in (["bab"], ["cab", "aaaa"], ["bc"]):
        texts = StopTexts(stop, tokenizer.decode)
        got = generate(decoder, [[BOS]] * 4, max_new_tokens=40, sampling=RANDOM, stop=texts)
        for free, row in zip(rows.tolist(), got.tolist(), strict=True):
            counts = (n for n in range(1, 41) if any(s in tokenizer.decode(free[:n]) for s in stop))
            count = next(counts, 40)
            assert row == free[:count] + [0] * (40 - count)
            stopped += count < 40
        for every in (1, 5):
            ids = {"max_new_tokens": 40, "sampling": RANDOM}
            free = tokenizer.decode(generate(decoder, [[BOS]], eos_id=2, **ids)[0].tolist())
            ends = [free.index(s) for s in stop if s in free]
            pieces = stream(decoder, tokenizer, [BOS], stop=stop, every=every, **ids)
            # The stop string that is complete first counts; here it also begins first.
            assert "".join(pieces) == free[: min(ends, default=None)]
    assert stopped > 3


@pytest.mark.thorough
def test_the_rows_of_other_stop_strings_go_on(decoder, characters):
    free = [text for [text] in complete(decoder, characters, PROMPTS, max_new_tokens=12, sampling=RANDOM)]
    stop = free[0][:2]
    got = complete(decoder, characters, PROMPTS, max_new_tokens=12, sampling=RANDOM, stop=[stop])
    assert got == [[text.split(stop)[0]] for text in free]
    assert got[0] == [""] and len(free[0]) > 2
    assert any(one == [text] != [""] for one, text in zip(got, free, strict=True))


def test_held_back():
    assert held_back("xa", ["ab"]) == 1
    assert held_back("xab", ["abab", "q"]) == 2
    assert held_back("xab", ["ab"]) == 0
    assert held_back("aaa", ["aaab", "b"]) == 3
    assert held_back("a", []) == 0


class Script:
    """What streaming sees of a `Decoding`, for a given row of ids."""

    def __init__(self, ids):
        self.tokens, self.length = np.array([ids], np.int32), np.array([0])

    @property
    def finished(self):
        return self.length[0] == self.tokens.shape[1]

    def advance(self, steps):
        self.length[0] = min(self.length[0] + steps, self.tokens.shape[1])

    def ids(self, row):
        return self.tokens[row, : self.length[row]].tolist()

    def check_positions(self):
        pass


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_streamed_pieces_are_whole_characters(every):
    tokenizer = Bytes()
    written = "aé→🎈\ufffdz😀"
    pieces = list(text._pieces(Script(tokenizer.encode(written)), tokenizer, Watch([], None), every))
    assert "".join(pieces) == written
    assert sum(piece.count("\ufffd") for piece in pieces) == 1
    broken = [*tokenizer.encode("é")[:1], *tokenizer.encode("a🎈")[:-1]]
    pieces = text._pieces(Script(broken), tokenizer, Watch([], None), every)
    assert "".join(pieces) == tokenizer.decode(broken)


@pytest.mark.parametrize(
    "spec", ["base:7:bytes", "p10:4:bytes", "10e:8:bytes", "words:bytes", "spaced:bytes"]
)
@pytest.mark.parametrize("every", [1, 2])
def test_a_stream_waits_for_what_a_number_will_be(spec, every):
    tokenizer = build(spec, lambda: [])
    written = "12 + 9071 = 3\n-17 4"
    pieces = list(text._pieces(Script(tokenizer.encode(written)), tokenizer, Watch([], None), every))
    assert "".join(pieces) == written
    assert len(pieces) > 3


@pytest.mark.thorough
def test_a_stream_of_any_bytes_is_the_completion():
    tokenizer = Bytes()
    model = random_model(vocab_size=tokenizer.vocab_size, spread=0.1)
    for seed in range(3):
        sampling = Sampling(temperature=1.0, seed=seed)
        [[whole]] = complete(model, tokenizer, ["é"], max_new_tokens=50, sampling=sampling)
        ids = [BOS, *tokenizer.encode("é")]
        pieces = stream(model, tokenizer, ids, max_new_tokens=50, sampling=sampling, every=3)
        assert "".join(pieces) == whole


@pytest.mark.thorough
def test_stream_of_an_encoder_decoder(encoder_decoder, characters):
    [prompt_ids], [source] = encode_prompts(encoder_decoder, characters, ["12+3="])
    pieces = stream(encoder_decoder, characters, prompt_ids, source=source, max_new_tokens=12)
    assert "".join(pieces) == complete(encoder_decoder, characters, ["12+3="], max_new_tokens=12)[0][0]


def test_stream_errors_come_with_the_call(decoder, characters):
    with pytest.raises(ValueError, match="num_samples=2: a stream has one"):
        stream(decoder, characters, [BOS], max_new_tokens=2, sampling=Sampling(num_samples=2))
    with pytest.raises(ValueError, match="every=0 must be at least 1"):
        stream(decoder, characters, [BOS], max_new_tokens=2, every=0)
    with pytest.raises(ValueError, match=r"prompts\[0\] is empty"):
        stream(decoder, characters, [], max_new_tokens=2)


def test_more_tokens_than_a_context_holds_may_be_asked_for_up_to_a_limit(characters):
    model = always(characters.encode("a")[0], max_length=32)
    assert complete(model, characters, ["1+2="], max_new_tokens=2**31 - 1) == [["a" * 28]]
    with pytest.raises(ValueError, match="max_new_tokens=3000000000 must be at most 2,147,483,647"):
        complete(model, characters, ["1+2="], max_new_tokens=3_000_000_000)


@pytest.mark.thorough
def test_a_run_gives_a_short_prompt_its_room_beside_a_long_one(characters):
    model = always(characters.encode("a")[0], max_length=32)
    run = Run(None, Experiment(Task(), "characters"), characters, (model,), 0)
    # bos, the prompt and the answer but for its last token, which need not be read, fill the context.
    assert run.generate(["1+2=", "1+2=" * 7]) == [["a" * 28], ["a" * 4]]


def test_long_prompts_run_with_fewer_others_and_read_the_same(decoder, characters, monkeypatch):
    arguments = {"max_new_tokens": 6, "sampling": RANDOM}
    together = complete(decoder, characters, PROMPTS, **arguments)
    longest = max(map(len, encode_prompts(decoder, characters, PROMPTS)[0]))
    monkeypatch.setattr(text, "_SCORES", 2 * decoder.config.num_heads * longest**2)
    seen = []
    apart = complete(decoder, characters, PROMPTS, progress=lambda *done: seen.append(done), **arguments)
    assert apart == together and seen[0] == (2, len(PROMPTS))
