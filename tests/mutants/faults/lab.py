"""Faults of the lab, and of numbers that are worked out."""

from ..fault import Fault

FAULTS = [
    Fault(
        "gradcam-over-features",
        "jaxgpt/lab/attribution.py",
        "signed = activation @ gradient.mean(axis=0)",
        "signed = activation.mean(axis=-1) * gradient.sum(axis=-1)",
        "the mean of a gradient is taken over features in place of tokens",
        ("tests/lab/test_attribution.py",),
    ),
    Fault(
        "rollout-without-residual",
        "jaxgpt/lab/attribution.py",
        "mixed = (heads.mean(axis=0) + np.eye(count)) / 2",
        "mixed = heads.mean(axis=0)",
        "a rollout forgets what goes around the attention",
        ("tests/lab/test_attribution.py",),
    ),
    Fault(
        "deletion-lowest-first",
        "jaxgpt/lab/faithfulness.py",
        'orders.append(np.argsort(-signed, kind="stable"))',
        'orders.append(np.argsort(signed, kind="stable"))',
        "the tokens with the lowest scores are taken away first",
        ("tests/lab/test_attribution.py",),
    ),
    Fault(
        "strip-of-a-key",
        "jaxgpt/lab/attention_maps.py",
        "shown = self.over_steps[step][:, :, query]",
        "shown = self.over_steps[step][..., query]",
        "a strip shows who looks at a token, not what it looks at",
        ("tests/lab/test_attention_maps.py",),
    ),
    Fault(
        "lens-without-norm",
        "jaxgpt/lab/lens.py",
        "model.logits(x if norm is None else norm(x))",
        "model.logits(x)",
        "a lens leaves out the final norm",
        ("tests/lab/test_lens.py",),
    ),
    Fault(
        "entropy-in-nats",
        "jaxgpt/lab/windows.py",
        "return -(jnp.exp(logs) * logs).sum(axis=-1).mean(axis=-1) / jnp.log(2.0)",
        "return -(jnp.exp(logs) * logs).sum(axis=-1).mean(axis=-1)",
        "an entropy is in nats and called bits",
        ("tests/lab/test_surprise.py",),
    ),
    Fault(
        "loss-by-bytes",
        "jaxgpt/lab/loss_matrix.py",
        "return ratio(losses, characters), a_byte",
        "return ratio(losses, encoded), a_byte",
        "a loss is called one of a character and is one of a byte",
        ("tests/lab/test_loss_matrix.py",),
    ),
    Fault(
        "product-without-carry",
        "tasks/decimals/working.py",
        "carry, kept = divmod(digit * factor + before + carry, 10)",
        "carry, kept = divmod(digit * factor + before, 10)",
        "a product that is worked out forgets what was carried",
        ("tests/tasks/test_decimals.py",),
    ),
    Fault(
        "kept-step-lost",
        "jaxgpt/runs/checkpoints.py",
        "keep = [policies.LatestN(keep_last), policies.CustomSteps(keep_steps)]",
        "keep = [policies.LatestN(keep_last)]",
        "a checkpoint that was to be kept is removed",
        ("tests/lab/test_surprise.py",),
    ),
]
