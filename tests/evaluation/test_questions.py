"""Which questions are asked, and which a model has no room for."""

import itertools

import pytest

from jaxgpt import generation
from jaxgpt.evaluation.questions import askable, distinct, obstacles, select
from jaxgpt.evaluation.text_measures import sample_prompts
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example
from tasks.arithmetic import Arithmetic
from tasks.strings import Strings
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.parity import Parity


def test_the_first_different_examples_in_their_order():
    examples = [Example(p, t) for p, t in ("ab", "ac", "ab", "bb", "ac", "cc")]
    assert [e.prompt + e.target for e in distinct(examples, 3)] == ["ab", "ac", "bb"]
    assert len(distinct(examples, 99)) == 4


def test_an_endless_iterator_over_few_questions_comes_to_an_end():
    assert len(distinct(itertools.cycle([Example("a", "b"), Example("c", "d")]), 3)) == 2


def test_questions_about_one_document_are_different_questions():
    assert len(distinct([Example("a", "b", key="d"), Example("c", "d", key="d")], 9)) == 2


def test_extra_questions_are_marked(task):
    chosen = select(task, "test", n=20, n_extra=5, data_seed=0)
    assert [q.in_distribution for q in chosen] == [True] * 20 + [False] * 5
    assert all(task.split_of(q.example) == "test" for q in chosen[:20])
    assert {q.example.group for q in chosen[20:]} == {"7 digits"}
    assert len(select(task, "test", n=20, n_extra=0, data_seed=0)) == 20


def test_select_knows_a_task_without_extra_digits():
    assert len(select(Arithmetic(max_digits=3), "test", n=10, n_extra=10, data_seed=0)) == 10


def test_texts_from_nothing_are_written_as_often_as_is_asked():
    few = Strings(rule=Equal(pairs=("0=2",), shortest=4, longest=4))
    held_out = {text for text in few.rule.every() if few.split_of(Example("", text)) == "validation"}
    chosen = [q.example for q in select(few, "validation", n=50, n_extra=0, data_seed=0)]
    assert len(chosen) == 50 and {example.target for example in chosen} == held_out and len(held_out) == 2
    assert {example.prompt for example in chosen} == {""}
    # Of many strings the first different ones are taken, as ever.
    many = Strings()
    first = distinct(many.questions("test", 3), 50)
    assert [q.example for q in select(many, "test", n=50, n_extra=0, data_seed=3)] == first
    # A question with a prompt is asked once.
    asking = Strings(rule=Parity(longest=3))
    prompts = [q.example.prompt for q in select(asking, "train", n=50, n_extra=0, data_seed=0)]
    assert len(set(prompts)) == len(prompts) < 15


def test_the_longest_question_that_fits_is_asked_and_the_next_is_not(build, tokenizer):
    model = build(max_length=10)
    fits, exceeds = Example("1234=", "2468"), Example("1234=", "24680")  # 1 + 5 + 4 tokens are read
    assert obstacles(model, tokenizer, [fits, exceeds]) == ["", "11 tokens, model.max_length is 10"]
    # The limit is the model's own: bos, prompt, target run; one token more raises.
    ids = [tokenizer.bos_id, *tokenizer.encode("1234=2468")]
    generation.generate(model, [ids], max_new_tokens=1, overflow="stop")
    with pytest.raises(ValueError, match="max_length=10"):
        generation.generate(model, [[*ids, 3]], max_new_tokens=1, overflow="stop")


def test_an_encoder_decoder_has_room_for_prompt_and_target_apart(build, tokenizer):
    model = build(kind="encoder_decoder", max_length=6)
    found = obstacles(
        model, tokenizer, [Example("1234=", "24680"), Example("12345=", "2"), Example("1=", "123456")]
    )
    assert found == ["", "7 tokens, model.max_length is 6", "7 tokens, model.max_length is 6"]


@pytest.mark.parametrize("kind", ["decoder", "encoder_decoder"])
def test_numbers_too_long_for_the_position_scheme_are_found(build, tokenizer, kind):
    model = build(kind=kind, position=Abacus(max_position=5, max_offset=0))
    examples = [Example("1234=", "2468"), Example("12345=", "2"), Example("1=", "12345")]
    found = obstacles(model, tokenizer, examples)
    assert found == ["", *["position 5, position.max_position is 5"] * 2]


def test_sample_prompts_that_the_model_cannot_be_asked_are_left_out(build, tokenizer, task, monkeypatch):
    model = build(max_length=10, position=Abacus(max_position=5, max_offset=0))
    prompts = ("1234=", "a" * 9, "a" * 10, "12345=", "1+1=", "1234=")
    monkeypatch.setattr(type(task), "sample_prompts", prompts)
    assert askable(model, tokenizer, task, NextToken()) == ["1234=", "a" * 9]


def test_free_samples_begin_with_nothing_where_no_prompt_of_the_task_can_be_asked(
    build, tokenizer, task, monkeypatch
):
    monkeypatch.setattr(type(task), "sample_prompts", ("1=", "+"))
    assert sample_prompts(build(), tokenizer, task, NextToken()) == ["1="]
    monkeypatch.setattr(type(task), "sample_prompts", ("+", "a" * 99))
    assert sample_prompts(build(), tokenizer, task, NextToken()) == [""]


def test_a_character_outside_the_alphabet_is_a_reason(build, tokenizer):
    assert "'+'" in obstacles(build(), tokenizer, [Example("1+1=", "2")])[0]


@pytest.mark.parametrize(
    ("lengths", "heading"),
    [
        ((3, 3), "equal lengths"),
        ((3, 4), "lengths differ by 1-2"),
        ((10, 8), "lengths differ by 1-2"),
        ((4, 1), "lengths differ by 3+"),
        ((1, 10), "lengths differ by 3+"),
    ],
)
def test_arithmetic_gathers_pairs_by_how_far_their_lengths_lie_apart(lengths, heading):
    task = Arithmetic()
    group = "{:02}+{:02} digits".format(*lengths)
    example = next(e for e in task.examples("train") if e.group == group)
    assert task.headings(example) == (heading,)


def test_arithmetic_of_one_operand_or_another_symbol():
    assert Arithmetic(format="decomposition").headings(Example("", "", "2 digits")) == ()
    task = Arithmetic(operation="subtraction")
    assert task.headings(next(task.examples("test")))
