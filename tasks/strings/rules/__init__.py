"""The rules that come with jaxgpt, one file each; `equal.py` is the rule `equal`."""
