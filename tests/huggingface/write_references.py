"""Write `references/`: small models of transformers and what they compute. It needs transformers and torch.

    python tests/huggingface/write_references.py [NAME ...]

Each folder is a directory as transformers writes it, and `reference.npz` beside it. What was written last
came from transformers 5.23.0 and torch 2.13.0; transfo_xl from transformers 4.57.6, the last that has it;
qwen2, xlm_roberta, mt5, phi3, distilbert, opt, gpt_neox, olmo2 from 5.24.0.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from small_models import AVAILABLE, build, continuations, inputs, outputs

FOLDER = Path(__file__).parent / "references"


def main() -> None:
    for name in sys.argv[1:] or AVAILABLE:
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        if name.endswith("-other"):
            continue  # for the live tests, which keeps the folder small
        model = build(name)
        given = inputs(model)
        model.save_pretrained(FOLDER / name)
        (FOLDER / name / "generation_config.json").unlink(missing_ok=True)
        np.savez(
            FOLDER / name / "reference.npz", **given, **outputs(model, given), **continuations(model, given)
        )
        print(name)


if __name__ == "__main__":
    main()
