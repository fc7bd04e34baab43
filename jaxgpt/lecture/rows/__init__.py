"""The rows of the lecture, one file each."""
