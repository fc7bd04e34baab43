"""What arms on running text have in common."""

from collections.abc import Mapping


def text_values(files: Mapping[str, str], *, steps: int = 700, **model: str) -> dict[str, str]:
    """The fields of a short training on the file of text, of which the held-out loss alone is wanted.

    Args:
      files: the path of each file, by its name.
      steps: more than these where a difference shows late.
      model: fields of the model, such as `d_model`.
    """
    return {
        "task.path": files["text"],
        "task.held_out": "0.03",
        "training.steps": str(steps),
        "training.eval_every": "0",
        "training.sample_every": "0",
        # Few: each is a last word to write, and likelihoods come with any.
        "training.test_examples": "20",
        **{f"model.{name}": value for name, value in model.items()},
    }
