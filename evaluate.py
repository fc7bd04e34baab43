"""Score a run on held-out examples: `python evaluate.py RUN`; see --help."""

import sys

from jaxgpt.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
