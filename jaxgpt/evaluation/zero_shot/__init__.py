"""Tests of a language model that it was not trained for, as in GPT-2 (Radford et al. 2019, section 3).

`scoring_files.score_file` reads the file of one of them and gives its measures. All follow from the
probabilities that a decoder gives to texts (`continuations`), as in EleutherAI's lm-evaluation-harness.
"""
