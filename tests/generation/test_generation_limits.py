"""What a model cannot read or hold: errors, rows that stop, and windows that move on."""

import numpy as np
import pytest
from generation_models import BOS, DIGIT, EOS, EQUALS, POSITIONS, always, naive_for, random_model
from variants import often

from jaxgpt.generation import Sampling, StopTexts, generate
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.coupled import Coupled

SHORT = {"max_length": 12}


@pytest.mark.parametrize(
    ("prompts", "arguments", "message"),
    [
        ([[BOS], []], {}, r"prompts\[1\] is empty; begin it with the tokenizer's bos_id"),
        ([[BOS, 17]], {}, r"prompts\[0\] holds id 17, outside the vocabulary of 17; was another tokenizer"),
        ([[BOS, -1]], {}, r"prompts\[0\] holds id -1, outside"),
        ([BOS, 4], {}, r"prompts\[0\] must be a sequence of ids"),
        ([[0.5]], {}, r"prompts\[0\] holds float64, not integers"),
        ([[BOS]], {"max_new_tokens": 0}, "max_new_tokens=0 must be at least 1"),
        ([[BOS]], {"max_new_tokens": 2**31}, "max_new_tokens=2147483648 must be at most 2,147,483,647"),
        ([[BOS]], {"eos_id": 2**31}, "eos_id=2147483648 must be an id"),
        ([[BOS]], {"overflow": "wrap"}, "overflow='wrap' must be one of error, stop, slide"),
        ([[BOS]], {"row_ids": [1, 2]}, "2 row_ids for 1 prompts"),
        ([[BOS]], {"row_ids": [-1]}, r"row_ids\[0\]=-1 must be a whole number, at least 0 and below 2\*\*32"),
        ([[BOS]] * 2, {"row_ids": [0, 2**32]}, r"row_ids\[1\]=4294967296 must be a whole number"),
        ([[BOS]], {"row_ids": [0.5]}, r"row_ids\[0\]=0.5 must be a whole number"),
        ([[BOS]], {"source": [[4]]}, "kind=decoder takes no source"),
        ([[BOS]], {"stop": ["a"]}, r"stop=\['a'\]: give jaxgpt.StopTexts\(texts, tokenizer.decode\)"),
        ([[BOS]], {"stop": StopTexts("a", str)}, r"stop='a' must be a list of texts; use \['a'\]"),
        ([[BOS]], {"stop": StopTexts([""], str)}, "a stop string is empty"),
        ([[BOS] * 8], {"max_new_tokens": 5}, "8 tokens and max_new_tokens=5 exceed model.max_length=12"),
        ([[BOS] * 13], {"overflow": "stop"}, r"prompts\[0\] of 13 tokens exceeds model.max_length=12"),
    ],
)
def test_errors_say_what_is_wrong(prompts, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(random_model(**SHORT), prompts, **{"max_new_tokens": 4} | arguments)


def test_errors_of_other_kinds(encoder_decoder):
    with pytest.raises(ValueError, match="kind=encoder generates nothing"):
        generate(random_model(kind="encoder"), [[BOS]], max_new_tokens=4)
    with pytest.raises(ValueError, match="kind=encoder_decoder needs source="):
        generate(encoder_decoder, [[BOS]], max_new_tokens=4)
    with pytest.raises(ValueError, match="2 rows of source for 1 prompts"):
        generate(encoder_decoder, [[BOS]], source=[[4], [5]], max_new_tokens=4)
    with pytest.raises(ValueError, match=r"source\[0\] of 65 tokens exceeds model.max_length=64"):
        generate(encoder_decoder, [[BOS]], source=[[4] * 65], max_new_tokens=4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": -1.0}, "temperature=-1.0 must be at least 0; 0 takes the most likely token"),
        ({"temperature": float("nan")}, "temperature=nan must be"),
        ({"top_k": 0}, "top_k=0 must be at least 1, or none"),
        ({"top_p": 0.0}, "top_p=0.0 must be above 0 and at most 1, or none"),
        ({"top_p": 1.5}, "top_p=1.5 must be"),
        ({"repetition_penalty": 0.0}, "repetition_penalty=0.0 must be above 0; 1 changes nothing"),
        ({"num_samples": 0}, "num_samples=0 must be at least 1"),
        ({"seed": -1}, "seed=-1 must be at least 0"),
    ],
)
def test_sampling_checks_its_fields(fields, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**fields)


@pytest.mark.thorough
def test_the_context_can_be_used_to_its_end():
    model = random_model(**SHORT)
    prompts = [[BOS] * 4, [BOS] * 12]
    rows = generate(model, prompts, max_new_tokens=20, overflow="stop", pad_id=-1)
    naive = naive_for(model, 12)
    assert rows[0].tolist() == naive.greedy(prompts[0], 9) + [-1] * 11
    assert rows[1].tolist() == naive.greedy(prompts[1], 1) + [-1] * 19


def naive_slide(model, prompt, count):
    most, naive = model.config.max_length, naive_for(model, model.config.max_length)
    window, new = list(prompt)[-most:], []
    for _ in range(count):
        if len(window) > most:
            window = window[-(most // 2) :]
        new.append(int(naive.logits(window).argmax()))
        window.append(new[-1])
    return new


@pytest.mark.parametrize("name", often(["learned", "rotary"], ("rotary",)))
def test_slide_goes_on_with_the_last_half_of_the_window(name):
    model = random_model(**SHORT, position=POSITIONS[name])
    prompts = [[BOS, 4, 5], [BOS, *range(3, 13)], [*range(1, 16)]]
    rows = generate(model, prompts, max_new_tokens=40, overflow="slide")
    assert rows.tolist() == [naive_slide(model, prompt, 40) for prompt in prompts]


@pytest.mark.thorough
def test_slide_of_an_encoder_decoder_and_penalty():
    model = random_model(kind="encoder_decoder", position=POSITIONS["rotary"], **SHORT)
    sampling = Sampling(temperature=1.0, repetition_penalty=1.5, num_samples=2)
    arguments = {"max_new_tokens": 30, "overflow": "slide", "sampling": sampling}
    sources = [[4, 5, EOS], [6, EOS]]
    together = generate(model, [[BOS], [BOS, 4]], source=sources, **arguments)
    alone = generate(model, [[BOS, 4]], source=sources[1:], row_ids=[1], **arguments)
    np.testing.assert_array_equal(together[2:], alone)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "scheme",
    [
        pytest.param(Abacus(max_position=6, max_offset=2), marks=pytest.mark.thorough),
        Coupled(max_position=6, max_offset=2),
    ],
)
def test_numbers_too_long_for_the_positions(scheme):
    model = always(DIGIT, position=scheme)
    with pytest.raises(ValueError, match=r"row 1 reaches position 7, which position.max_position=6"):
        generate(model, [[BOS], [BOS, *[DIGIT] * 7, EQUALS]], max_new_tokens=6)
    prompts = [[BOS, DIGIT, EQUALS], [BOS, EQUALS, DIGIT, DIGIT]]
    # Five digits have a place, and the sixth is still a token, but nothing can be said after it.
    fits = generate(model, [prompts[0]] * 2, max_new_tokens=6)
    np.testing.assert_array_equal(fits, [[DIGIT] * 6] * 2)
    with pytest.raises(
        ValueError, match=r"row 1 holds a number too long for position.max_position=6 after 4"
    ):
        generate(model, prompts, max_new_tokens=6)
    rows = generate(model, prompts, max_new_tokens=10, overflow="stop")
    assert rows.tolist() == [[DIGIT] * 6 + [0] * 4, [DIGIT] * 4 + [0] * 6]
    # A stop string before that place saves the row, though the loop has run beyond it.
    stop = StopTexts(["0" * 4], lambda ids: "0" * len(ids))
    rows = generate(model, prompts, max_new_tokens=10, stop=stop)
    assert rows.tolist() == [[DIGIT] * 4 + [0] * 6] * 2


@pytest.mark.thorough
def test_positions_of_the_source_count_too():
    model = random_model(kind="encoder_decoder", position=Abacus(max_position=6, max_offset=2))
    with pytest.raises(ValueError, match="source of row 0 reaches position 8"):
        generate(model, [[BOS]], source=[[DIGIT] * 8], max_new_tokens=4)
