"""Faults of constructions and of the search for them."""

from ..fault import Fault

LOCAL = ("tests/search/test_local_search.py",)

GENERATIONS = ("tests/search/test_generations.py",)
MODELS = ("tests/search/test_set_model.py",)
TOKENS = ("tests/search/test_set_tokens.py",)

FAULTS = [
    Fault(
        "weights-are-not-kept",
        "jaxgpt/search/set_model.py",
        "self._program.init(_part(known, _WEIGHTS) or self._drawn(seed))",
        "self._program.init(self._drawn(seed))",
        "the transformer forgets all between generations",
        MODELS,
    ),
    Fault(
        "rewards-are-turned-round",
        "jaxgpt/search/policy.py",
        "return -(advantage * self._logp(weights, *batch)).mean()",
        "return (advantage * self._logp(weights, *batch)).mean()",
        "what was rewarded becomes less likely",
        MODELS,
    ),
    Fault(
        "leaving-is-free",
        "jaxgpt/search/policy.py",
        "rewards = scores - self._stay * far",
        "rewards = scores",
        "nothing holds the policy near to where it began",
        MODELS,
    ),
    Fault(
        "repair-drops-the-best",
        "jaxgpt/search/repair.py",
        "conflicts = jnp.where(states.inside, states.counts, 0)",
        "conflicts = jnp.where(states.inside, 1, 0)",
        "repair drops elements that are in no conflict",
        GENERATIONS,
    ),
    Fault(
        "control-has-less-time",
        "jaxgpt/search/generations.py",
        "stand.elapsed >= time)",
        "stand.elapsed >= time / 2)",
        "the search without the model stops at half of the time",
        GENERATIONS,
    ),
    Fault(
        "worst-are-kept",
        "jaxgpt/search/pool.py",
        "np.argsort(-sets.sum(1)",
        "np.argsort(sets.sum(1)",
        "the smallest sets are kept",
        GENERATIONS,
    ),
    Fault(
        "cut-off-rows-are-read",
        "jaxgpt/search/set_tokens.py",
        "readable = ends.any(1) & ",
        "readable = ",
        "a row without an end stands for a set",
        TOKENS,
    ),
    Fault(
        "pairs-of-orbits-twice",
        "jaxgpt/search/conflict_tables.py",
        "counted = (member < size) & (member != element) & (element < size)",
        "counted = (member < size) & (element < size)",
        "an orbit that is dropped takes its conflicts with single orbits away twice",
        LOCAL,
    ),
    Fault(
        "one-element-of-the-second-orbit",
        "jaxgpt/search/tested_tables.py",
        "pairs = others[orbit] | jnp.diagonal(others)",
        "pairs = others[orbit]",
        "two orbits pass although two elements of one and one of the other are in conflict",
        LOCAL,
    ),
    Fault(
        "pairs-of-orbits-count-half",
        "jaxgpt/search/conflict_tables.py",
        "(others.sum(1) + jnp.diagonal(others)) // 2",
        "others.sum(1) // 2",
        "conflicts of two orbits count half in the degrees, by which elements cost",
        LOCAL,
    ),
    Fault(
        "noise-of-the-wrong-sign",
        "jaxgpt/search/moves.py",
        "values - jnp.log(-jnp.log(uniform))",
        "values + jnp.log(-jnp.log(uniform))",
        "moves are not drawn with the probabilities of a softmax",
        LOCAL,
    ),
    Fault(
        "one-conflict-is-valid",
        "jaxgpt/search/moves.py",
        "(self.inside & (self.counts > 0)).any(1)",
        "(self.inside & (self.counts > 1)).any(1)",
        "sets with a conflict pass for sets without one",
        LOCAL,
    ),
    Fault(
        "memory-is-not-limited",
        "jaxgpt/search/orbits.py",
        "if needed > limit:",
        "if needed > 8 * limit:",
        "a table larger than the limit is built",
        LOCAL,
    ),
    Fault(
        "flat-triangles-are-allowed",
        "tasks/constructions/verifiers.py",
        "if len(distances) < 3:",
        "if len(distances) < 3 and max(distances) < 4 * min(distances):",
        "the verifier lets a point in the middle of two others pass",
        ("tests/tasks/test_constructions.py",),
    ),
    Fault(
        "sums-of-a-number-with-itself",
        "tasks/constructions/verifiers.py",
        "itertools.combinations_with_replacement(sorted(set(chosen)), 2)",
        "itertools.combinations(sorted(set(chosen)), 2)",
        "the verifier overlooks a + b = 2c",
        ("tests/tasks/test_constructions.py",),
    ),
]
