"""Train an experiment: `python train.py [EXPERIMENT] [--dotted.field VALUE ...]`; see --help and --list."""

import sys

from jaxgpt.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
