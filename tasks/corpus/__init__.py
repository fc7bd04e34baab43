"""What tasks over a file of text share: reading, choosing a column, cleaning, asking for a last word."""

from tasks.corpus.cleaning import RULES, Report, clean
from tasks.corpus.last_word import last_word, last_word_score, last_words, shortened
from tasks.corpus.reading import read_documents, read_lines, read_text

__all__ = [
    "RULES",
    "Report",
    "clean",
    "last_word",
    "last_word_score",
    "last_words",
    "read_documents",
    "read_lines",
    "read_text",
    "shortened",
]
