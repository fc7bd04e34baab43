"""What trained arms reached, as the evaluation at the end of each run has it."""

from jaxgpt.evaluation.evaluation import Evaluation, Row
from jaxgpt.models.template import Template
from jaxgpt.runs.run import Run


def evaluation(run: Run) -> Evaluation:
    """Raises ValueError if the run was not asked."""
    if run.evaluation is None:
        raise ValueError(f"{run.directory.path} has no evaluation: its training.test_examples is 0")
    return run.evaluation


def exact_match(run: Run, group: str = "") -> tuple[float, ...]:
    """The share of right answers of each seed, over all questions or those of a group or heading."""
    return row(run, group).exact_match.per_seed


def score(run: Run, name: str, group: str = "") -> tuple[float, ...]:
    """One of the task's other scores, of each seed."""
    return row(run, group).scores[name].per_seed


def summary(run: Run, name: str) -> tuple[float, ...]:
    """One of the task's measures of a whole set of answers, of each seed."""
    return evaluation(run).summary[name].per_seed


def bits_a_byte(run: Run, part: str = "held_out") -> tuple[float, ...]:
    """Of text, of each seed."""
    return evaluation(run).likelihood[part].bits_per_byte.per_seed


def num_weights(run: Run) -> int:
    """Of one seed's model."""
    return Template(run.model.config).num_params


def row(run: Run, group: str = "") -> Row:
    """A row of the table of results.

    Raises:
      ValueError: if there is no such group or heading.
    """
    found = evaluation(run)
    if not group and found.overall is not None:
        return found.overall
    known = {one.group: one for one in (*found.groups, *found.headings)}
    if group not in known:
        raise ValueError(f"{run.directory.path} has no group {group!r}; known: {', '.join(known)}")
    return known[group]
