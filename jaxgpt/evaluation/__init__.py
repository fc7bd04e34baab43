"""Scores with intervals: exact match, likelihood, measures of text; tables and pictures of them."""
