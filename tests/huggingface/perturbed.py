"""A changed `config.json` here and in transformers: what each makes of it. It needs transformers and torch.

    python tests/huggingface/perturbed.py [NAME ...]

writes what became of every case into `field_outcomes.json`, and says where the two differ; with `--record`
it asks transformers for the fields alone.
"""

import dataclasses
import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
import perturbing
import pytest
import small_models
import torch
import transformers
from computing import exactly
from computing import ours as outputs

from jaxgpt.huggingface import load
from jaxgpt.huggingface.load import load_hf

VERSION = transformers.__version__.split(".")[0]
#: A directory is planned from four of them, which take a third of the time here.
_template = functools.lru_cache(maxsize=8)(load.Template)
#: More parameters than this, and a default is far from small.
_MOST = 20_000_000
_SAME = 1e-6
_FEW_VISITS = "a group visited less often than it has layers ends in an IndexError in version 4, not in 5"
#: Where one version of transformers differs from the other, which we follow; of one model or of all.
OTHER = {
    ("4", "albert", "num_hidden_groups", "4"): _FEW_VISITS,
    ("4", "albert", "num_hidden_layers", "2"): _FEW_VISITS,
    ("4", "hidden_act", '"gelu"'): "of Gemma: version 5 reads it as the tanh form, which official files mean",
    ("4", "tie_word_embeddings", "true"): "version 5 keeps two matrices that differ, 4 drops one of them",
    ("4", "t5-v1_1", "tie_word_embeddings", json.dumps(perturbing.ABSENT)): "the same, which absence means",
    **{
        ("4", name, "tie_word_embeddings", "1"): "version 4 ties what has another shape, 5 does not"
        for name in ("reformer", "reformer-local")
    },
    ("4", "olmo2", "rope_scaling", '{"rope_type": "linear", "factor": 4}'): "OLMo 2 knows `type` alone there",
    ("4", "rope_scaling", "{}"): "it says nothing, which version 5 accepts",
    ("4", "rope_scaling", '{"rope_type": "default"}'): "Phi-3 refuses it there, and version 5 reads it",
    **{
        (version, "hash_seed", value): "without a seed, every call draws other hashes"
        for version in "45"
        for value in ("null", json.dumps(perturbing.ABSENT))
    },
}
#: What transformers says of tokens that it cannot fill up to whole chunks, which says nothing of the model.
_CHUNKS = ("Sequence Length: ", "argument 'fill_value' (position 2) must be Number, not NoneType")


@dataclasses.dataclass
class Outcome:
    """What became of one case.

    Attributes:
      kept: what `field_outcomes.json` holds of it.
      wrong: what is not as it must be; empty: nothing.
      note: a refusal of what changes nothing in transformers.
    """

    kept: Any
    wrong: str = ""
    note: str = ""


class Perturbed:
    """One model whose `config.json` is changed, field by field."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder
        model = small_models.build(name)
        self.own = type(model)
        self.base = folder / "base"
        model.save_pretrained(self.base)
        self.config = json.loads((self.base / "config.json").read_text())
        self.config.pop("transformers_version", None)
        self.all_fields = model.config.to_dict() | self.config
        self.rotary = hasattr(model.config, "rope_theta") or "rope_parameters" in self.all_fields
        self.given = small_models.inputs(model)
        self.theirs = _numbers(small_models.outputs(model, self.given))
        self.shapes = shapes(self.base, model)
        self.ours = perturbing.ours(self.config, self.shapes)
        self._computed: dict[str, Any] = {}

    def cases(self) -> list[tuple[str, Any]]:
        """Fields with values."""
        more = perturbing.MORE["all"] | (perturbing.MORE["rotary"] if self.rotary else {})
        found = []
        for name in sorted({*self.all_fields, *more} - perturbing.LEFT):
            tried = list(more.get(name, ()))
            if name in self.all_fields:
                tried = [
                    *tried,
                    *perturbing.values(name, self.all_fields[name], rope=self.name in perturbing.ROTARY),
                ]
                if name in self.config and not self._far(name):
                    tried.append(perturbing.ABSENT)
            now = self.config.get(name, perturbing.ABSENT)
            texts = dict.fromkeys(json.dumps(value) for value in tried)
            found += [(name, json.loads(text)) for text in texts if text != json.dumps(now)]
        return found

    def _far(self, name: str) -> bool:
        """Whether the default makes a large model; that it is ours is tested by itself."""
        default = getattr(self.own.config_class(), name, None)
        return type(default) is int and default > 64

    def kept(self, field: str, value: Any) -> Any:
        """What `field_outcomes.json` holds of one case."""
        try:
            found = perturbing.ours(perturbing.changed(self.config, field, value), self.shapes)
        except ValueError:
            return "refused"
        return perturbing.difference(self.ours, found)

    def outcome(self, field: str, value: Any) -> Outcome:
        """What becomes of one case."""
        config = perturbing.changed(self.config, field, value)
        try:
            found = perturbing.ours(config, self.shapes)
            kept = perturbing.difference(self.ours, found)
        except ValueError as error:
            found, kept = None, "refused"
            if "\n" in str(error) or not str(error).startswith("config.json: "):
                return Outcome(kept, f"the message does not begin with the file: {error}")
        except Exception as error:  # noqa: BLE001
            return Outcome("refused", f"a traceback: {type(error).__name__}: {error}")
        case = (field, json.dumps(value))
        if (VERSION, *case) in OTHER or (VERSION, self.name, *case) in OTHER:
            return Outcome(kept)
        path, theirs, given = self._their_outputs(config)
        if found is None:
            same = theirs is not None and path == self.base and _far_apart(theirs, self.theirs) < _SAME
            return Outcome(kept, note="refused, and without effect there" if same else "")
        if theirs is None:
            try:
                load_hf(path)
            except ValueError:
                return Outcome(kept)  # the tensors do not fit
            except Exception as error:  # noqa: BLE001
                return Outcome(kept, f"a traceback: {type(error).__name__}: {error}")
            if "Validation error for field" in str(given):
                return Outcome(kept)  # version 5 has types for fields that say nothing of what is computed
            if any(text in str(given) for text in _CHUNKS):
                return Outcome(kept, note=f"read as {kept}, these inputs refused there: {given}")
            return Outcome(kept, f"read here as {kept}, refused there: {given}")
        try:
            mine = self._our_outputs(path, config, found, given)
        except Exception as error:  # noqa: BLE001
            if not isinstance(error, ValueError):
                return Outcome(kept, f"a traceback: {type(error).__name__}: {error}")
            return Outcome(kept, note=f"read as {kept}, its tensors refused: {error}")
        if missing := theirs.keys() - mine.keys():
            return Outcome(kept, f"{sorted(missing)} missing here")
        apart = _far_apart(mine, theirs)
        limit = 1e-5 if "rotations" in given else 5e-5
        return Outcome(kept, f"read as {kept}, differs by {apart:.1e}" if not apart < limit else "")

    def _their_outputs(self, config):
        """A directory with weights that fit, what transformers computes of it, and of what."""
        (self.base / "config.json").write_text(json.dumps(config))
        try:
            model, info = self.own.from_pretrained(
                self.base, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
            )
            if not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
                return self.base, *self._compute(model)
        except RuntimeError as error:
            if "size mismatch" not in str(error) and "ignore_mismatched_sizes" not in str(error):
                return self.base, None, error
        except Exception as error:  # noqa: BLE001
            return self.base, None, error
        fresh = self.folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            found = self.own.config_class.from_pretrained(self.base, attn_implementation="eager")
            with torch.device("meta"):
                count = sum(p.numel() for p in self.own(found).parameters())
            if count > _MOST:
                return self.base, None, "too large to try"
            model = small_models.drawn(self.own(found).eval())
            model.save_pretrained(fresh)
        except Exception as error:  # noqa: BLE001
            return self.base, None, error
        (fresh / "config.json").write_text(json.dumps(config))
        return fresh, *self._compute(model)

    def _compute(self, model):
        try:
            given = dict(self.given)
            hashed = "rotations" in given or "lsh" in getattr(model.config, "attn_layers", ())
            if hashed or ("source" in given and "labels" in self.theirs):  # which the end token decides
                given = small_models.inputs(model)
            elif model.config.vocab_size < 41:
                room = model.config.vocab_size - 4
                given = given | {k: 3 + v % room for k, v in given.items() if k in ("tokens", "source")}
            return _numbers(small_models.outputs(model.eval(), given)), given
        except Exception as error:  # noqa: BLE001
            return None, error

    def _our_outputs(self, path, config, found, given):
        key = json.dumps([str(path), found], sort_keys=True)
        key += str(config.get("tie_word_embeddings"))  # which decides of the head
        key += str([given[name].tolist() for name in ("tokens", "source") if name in given])
        if path == self.base and key in self._computed and "rotations" not in given:
            return self._computed[key]
        (path / "config.json").write_text(json.dumps(config))
        with exactly(given), pytest.MonkeyPatch.context() as patch:
            patch.setattr(load, "Template", _template)
            model = load_hf(path, dtype="float64" if "rotations" in given else "float32").model
            computed = {k: np.asarray(v) for k, v in outputs(model, given).items() if v is not None}
        self._computed[key] = computed
        return computed


def shapes(path: Path, model) -> dict[str, tuple[int, ...]]:
    """Of the tensors in a directory, by the names that a family's `config` knows."""
    from jaxgpt.huggingface.files import Directory
    from jaxgpt.huggingface.load import Plan

    directory = Directory(path)
    plan = Plan.of(directory, None, {})
    return {plain: directory.tensors[name].shape for plain, name in plan.names.items()}


def _numbers(found):
    return {name: value for name, value in found.items()}


def _far_apart(found, expected) -> float:
    """The largest difference over the largest value; infinite for other shapes."""
    worst = 0.0
    for name in expected:
        if name not in found or found[name].shape != expected[name].shape:
            return np.inf
        scale = np.abs(expected[name]).max() or 1.0
        worst = max(worst, float(np.abs(found[name] - expected[name]).max() / scale))
    return worst if worst == worst else np.inf


def main() -> None:
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    kept = perturbing.read()
    names = [name for name in sys.argv[1:] if name != "--record"]
    for name in names or perturbing.BASES:
        if name not in small_models.AVAILABLE:
            continue
        with tempfile.TemporaryDirectory() as folder:
            model = Perturbed(name, Path(folder))
            fields: dict[str, list[Any]] = {}
            for field, value in model.cases():
                outcome = Outcome(model.kept(field, value))
                if "--record" not in sys.argv:
                    outcome = model.outcome(field, value)
                fields.setdefault(field, []).append([value, outcome.kept])
                if outcome.wrong:
                    print(
                        f"WRONG {name} {field}={json.dumps(value)}: {' '.join(outcome.wrong.split())[:300]}",
                        flush=True,
                    )
                if outcome.note:
                    print(
                        f"note  {name} {field}={json.dumps(value)}: {' '.join(outcome.note.split())[:200]}",
                        flush=True,
                    )
        kept.setdefault(VERSION, {})[name] = {"config": model.config, "fields": fields}
        perturbing.write(kept)
        print(f"{name}: {sum(map(len, fields.values()))} cases", flush=True)
        jax.clear_caches()


if __name__ == "__main__":
    main()
