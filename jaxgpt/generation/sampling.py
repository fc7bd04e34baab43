"""How the next token is chosen from the logits."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

#: The largest whole number that the device counts to.
MOST = 2**31 - 1
#: What ends a row: an id, any of several, or nothing.
Ends = int | Sequence[int] | None


def ends(eos_id: Ends) -> Int[np.ndarray, "E"]:
    """The ids that end a row; -1, which no token is, where nothing does.

    Raises:
      ValueError: for what is no id.
    """
    ids = [eos_id] if eos_id is None or np.ndim(eos_id) == 0 else [*eos_id]
    if not all(i is None or (isinstance(i, int | np.integer) and 0 <= i <= MOST) for i in ids):
        raise ValueError(f"eos_id={eos_id} must be an id, a list of ids, or None")
    return np.asarray([-1 if i is None else i for i in ids] or [-1], np.int32)


@dataclasses.dataclass(frozen=True)
class Sampling:
    """A way to choose tokens. Each row's choices depend on (seed, row id, sample, step) and nothing else,
    so neither the other rows of a batch nor their order changes what a row samples.

    The filters apply in the order of the fields; at temperature 0 the largest logit is taken, which is
    what every `top_k` and `top_p` tends to.

    Raises:
      ValueError: for a value outside its range.
    """

    repetition_penalty: Annotated[float, "divides logits of tokens already there (CTRL); 1: none"] = 1.0
    temperature: Annotated[float, "divides the logits; 0 takes the most likely token"] = 0.0
    top_k: Annotated[int | None, "sample among this many most likely tokens; none: all"] = None
    top_p: Annotated[float | None, "sample among the most likely with this much probability; none: all"] = (
        None
    )
    num_samples: Annotated[int, "continuations of each prompt"] = 1
    seed: Annotated[int, "of the random choices"] = 0

    def __post_init__(self):
        def check(name, valid, rule):
            if not valid:
                raise ValueError(f"{name}={getattr(self, name)} must be {rule}")

        penalty, temperature = self.repetition_penalty, self.temperature
        check("repetition_penalty", 0 < penalty < math.inf, "above 0; 1 changes nothing")
        check("temperature", 0 <= temperature < math.inf, "at least 0; 0 takes the most likely token")
        check("top_k", self.top_k is None or self.top_k >= 1, "at least 1, or none for all tokens")
        check("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0 and at most 1, or none")
        check("num_samples", self.num_samples >= 1, "at least 1")
        check("seed", 0 <= self.seed < 2**31, "at least 0 and below 2**31")


def penalize(
    logits: Float[Array, "B V"], present: Bool[Array, "B V"], penalty: Float[Array, ""]
) -> Float[Array, "B V"]:
    """Logits with those of `present` tokens made less likely (Keskar et al. 2019, CTRL, section 4.1).

    Deviation: the paper divides every logit, which would make negative ones more likely; those are
    multiplied, as is now usual. The prompt counts as present.
    """
    return jnp.where(present, jnp.where(logits > 0, logits / penalty, logits * penalty), logits)


def cool(logits: Float[Array, "B V"], temperature: Float[Array, ""]) -> Float[Array, "B V"]:
    """Logits over temperature, shifted so that the largest is 0, which no small temperature overflows."""
    return (logits - logits.max(axis=-1, keepdims=True)) / temperature


def keep_top_k(logits: Float[Array, "B V"], k: Int[Array, ""]) -> Float[Array, "B V"]:
    """Logits with all but the k largest at -inf (Fan et al. 2018, section 5.1); ties with the k-th stay."""
    ranked = jnp.sort(logits, axis=-1, descending=True)
    least = jnp.take(ranked, jnp.minimum(k, logits.shape[-1]) - 1, axis=-1)
    return jnp.where(logits >= least[:, None], logits, -jnp.inf)


def keep_top_p(logits: Float[Array, "B V"], p: Float[Array, ""]) -> Float[Array, "B V"]:
    """Logits of the nucleus, the others at -inf (Holtzman et al. 2020, section 3.1).

    The nucleus is the smallest set of most likely tokens whose probability reaches p; ties with its last
    token stay.
    """
    ranked = jnp.sort(logits, axis=-1, descending=True)
    probability = jax.nn.softmax(ranked, axis=-1)
    before = jnp.cumsum(probability, axis=-1) - probability
    # The most likely token stays even where rounding has p at 0.
    size = jnp.maximum((before < p).sum(axis=-1, keepdims=True), 1)
    least = jnp.take_along_axis(ranked, size - 1, axis=-1)
    return jnp.where(logits >= least, logits, -jnp.inf)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Rules:
    """A `Sampling` as arrays, so that new values do not compile anew; None leaves a filter out.

    Attributes:
      num_ids: ids from here on are never chosen.
      eos_ids: tokens that each end a row; -1 for none. [E]
      pad_id: what follows one.
    """

    repetition_penalty: Float[Array, ""] | None
    temperature: Float[Array, ""] | None
    top_k: Int[Array, ""] | None
    top_p: Float[Array, ""] | None
    num_ids: Int[Array, ""] | None
    eos_ids: Int[Array, "E"]
    pad_id: Int[Array, ""]

    @classmethod
    def of(cls, sampling: Sampling, *, eos_id: Ends, pad_id: int, num_ids: int | None) -> "Rules":
        def real(value, unless):
            return None if value == unless else jnp.float32(value)

        def whole(value):
            return None if value is None else jnp.int32(min(value, MOST))  # no vocabulary has as many

        sampled = sampling.temperature > 0
        return cls(
            repetition_penalty=real(sampling.repetition_penalty, unless=1.0),
            temperature=real(sampling.temperature, unless=0.0),
            top_k=whole(sampling.top_k) if sampled else None,
            # All of it: a sum in single precision may reach 1 before the last token.
            top_p=real(sampling.top_p, unless=None) if sampled and sampling.top_p != 1 else None,
            num_ids=whole(num_ids),
            eos_ids=jnp.asarray(ends(eos_id)),
            pad_id=jnp.int32(pad_id),
        )


def filtered(
    rules: Rules, logits: Float[Array, "B V"], present: Bool[Array, "B V"] | None
) -> Float[Array, "B V"]:
    """The logits of the distribution that is sampled from; -inf for what is never chosen."""
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    if rules.num_ids is not None:
        logits = jnp.where(jnp.arange(logits.shape[-1]) < rules.num_ids, logits, -jnp.inf)
    if rules.repetition_penalty is not None:
        logits = penalize(logits, present, rules.repetition_penalty)
    if rules.temperature is not None:
        logits = cool(logits, rules.temperature)
    if rules.top_k is not None:
        logits = keep_top_k(logits, rules.top_k)
    if rules.top_p is not None:
        logits = keep_top_p(logits, rules.top_p)
    return logits


def choose(
    rules: Rules,
    logits: Float[Array, "B V"],
    present: Bool[Array, "B V"] | None,
    keys: Array,
    step: Int[Array, "B"],
) -> Int[Array, "B"]:
    """The next token of each row; `keys` are the rows' own and `step` counts the tokens they have."""
    logits = filtered(rules, logits, present)
    if rules.temperature is None:
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)
    draw = jax.vmap(lambda key, step, row: jax.random.categorical(jax.random.fold_in(key, step), row))
    return draw(keys, step, logits).astype(jnp.int32)


@jax.jit
def row_keys(seed: Int[Array, ""], row_ids: Int[Array, "R"], samples: Int[Array, "R"]) -> Array:
    """A key for each row, from its id and the number of its sample."""
    key = jax.random.key(seed)
    return jax.vmap(lambda row, sample: jax.random.fold_in(jax.random.fold_in(key, row), sample))(
        row_ids, samples
    )
