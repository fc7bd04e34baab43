"""What tasks over a file of text share: reading, choosing a column, cleaning, asking for a last word."""

from tasks.corpus.cleaning import RULES, Report, clean
from tasks.corpus.files import OfFiles
from tasks.corpus.last_word import last_word, last_word_score, last_words, shortened
from tasks.corpus.reading import file_stamp, read_documents, read_lines, read_text

__all__ = [
    "RULES",
    "OfFiles",
    "Report",
    "clean",
    "file_stamp",
    "last_word",
    "last_word_score",
    "last_words",
    "read_documents",
    "read_lines",
    "read_text",
    "shortened",
]
