"""What tasks over a file of text share: base classes, reading, choosing a column, cleaning, last words."""

from tasks.corpus.cleaning import RULES, Report, clean
from tasks.corpus.last_word import last_word, last_word_score, last_words, shortened
from tasks.corpus.places import place_in
from tasks.corpus.reading import check_path, read_documents, read_labelled, read_lines, read_text
from tasks.corpus.sentences import read_sentences, split_sentences
from tasks.corpus.text_pieces import LinePieces, TextPieces, cut_line

__all__ = [
    "RULES",
    "LinePieces",
    "Report",
    "TextPieces",
    "check_path",
    "clean",
    "cut_line",
    "last_word",
    "last_word_score",
    "last_words",
    "place_in",
    "read_documents",
    "read_labelled",
    "read_lines",
    "read_sentences",
    "read_text",
    "shortened",
    "split_sentences",
]
