"""Comparisons: one experiment in every cell of a table, such as each of ten tokenizers, with intervals.

`axes` says what is varied, `preflight.plan` checks every cell before any training and settles what all of
them share, `running` trains what is missing, `results` reads the runs back, and `page` writes the report.
"""
