"""The problems that come with jaxgpt, one file each; `cap_sets.py` is the problem `cap_sets`."""
