"""Models and tokenizers in the directories of Hugging Face, read and written without torch."""
