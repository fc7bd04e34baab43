"""`jaxgpt verify-hf` beside transformers, of directories that say little of themselves."""

import json

import pytest

from jaxgpt.cli.main import main

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
small_models = pytest.importorskip("small_models")

pytestmark = pytest.mark.transformers

#: Without hashed attention, whose rotations transformers draws anew.
NAMES = [name for name in small_models.AVAILABLE if name not in ("reformer", "reformer-other")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_file_without_architectures_is_verified(name, tmp_path, capsys):
    small_models.build(name).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config.pop("architectures")
    (tmp_path / "config.json").write_text(json.dumps(config))
    if "choices" in name or name == "bert-pretraining-other":
        return  # its scores are of several texts at once
    assert main(["verify-hf", str(tmp_path), "--length", "12"]) == 0, capsys.readouterr().err
    assert "they agree" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in NAMES if name.split("-")[-1] not in ("other", "labels")])
@pytest.mark.filterwarnings("ignore")
def test_a_bare_base_model_is_verified_or_refused_in_one_line(name, tmp_path, capsys):
    small_models.build(name).base_model.save_pretrained(tmp_path)
    code = main(["verify-hf", str(tmp_path), "--length", "12"])
    said = capsys.readouterr()
    if small_models.MODELS[name].architecture.startswith("TransfoXL"):
        lines = [line for line in said.err.splitlines() if not line.startswith("device: ")]
        assert code == 2 and len(lines) == 1 and "crit.out_layers.0.bias" in lines[0]
    else:
        assert code == 0 and "they agree" in said.out, said.err
