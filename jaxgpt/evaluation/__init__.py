"""Scores with intervals: exact match, likelihood, measures of text; tables and pictures of them.

`evaluate.evaluate` gives a `report.Evaluation`, which writes its table and its JSON; `plots` draws it.
"""
