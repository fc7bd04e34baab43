"""What a model makes of the prompts that its task shows in training."""

from jaxgpt.generation import Sampling
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.base import Objective
from jaxgpt.task import Task
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer

#: Tokens of a sample of text.
SAMPLE_TOKENS = 200


def samples(model: Transformer, tokenizer: Tokenizer, task: Task, objective: Objective) -> list[str]:
    """The task's sample prompts with what the model makes of them, in ordinary notation."""
    asked = askable(tokenizer, task)
    if not (asked and objective.asks and objective.ends_answers):
        return []
    prompts = [task.prompt(text) for text in asked]
    longest = max(len(tokenizer.encode(prompt)) for prompt in prompts)
    room = max(model.config.max_length - longest - 1, 1)
    is_text = task.layout == "stream"
    asking = Asking(
        max_new_tokens=min(SAMPLE_TOKENS, room) if is_text else room,
        sampling=Sampling(temperature=0.8 if is_text else task.temperature),
    )
    return [
        f"{text!r} -> {task.answer(prompt, answers[0])!r}"
        for text, prompt, answers in zip(
            asked, prompts, objective.predict(model, tokenizer, prompts, asking), strict=True
        )
    ]


def askable(tokenizer: Tokenizer, task: Task) -> list[str]:
    """The task's sample prompts that the tokenizer can encode."""
    return [text for text in dict.fromkeys(task.sample_prompts) if _readable(tokenizer, task.prompt(text))]


def _readable(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether a sample can be asked for: a corpus need not hold the characters of a task's own prompts."""
    try:
        tokenizer.encode(prompt)
    except OutsideAlphabet:
        return False
    return True
