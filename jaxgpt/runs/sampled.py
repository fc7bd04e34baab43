"""What a model makes of the prompts that its task shows in training."""

from jaxgpt.evaluation.questions import askable
from jaxgpt.generation import Sampling
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.base import Objective
from jaxgpt.task import Task
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Tokens of a sample of text.
SAMPLE_TOKENS = 200


def samples(model: Transformer, tokenizer: Tokenizer, task: Task, objective: Objective) -> list[str]:
    """The task's sample prompts with what the model makes of them, in ordinary notation."""
    if not (objective.asks and objective.ends_answers):
        return []
    asked = askable(model, tokenizer, task, objective)
    if not asked:
        return []
    prompts = [task.prompt(text) for text in asked]
    is_text = task.layout == "stream"
    asking = Asking(
        max_new_tokens=SAMPLE_TOKENS if is_text else None,  # else what each prompt has room for
        sampling=Sampling(temperature=0.8 if is_text else task.temperature),
    )
    return [
        f"{text!r} -> {task.answer(prompt, answers[0])!r}"
        for text, prompt, answers in zip(
            asked, prompts, objective.predict(model, tokenizer, prompts, asking), strict=True
        )
    ]
