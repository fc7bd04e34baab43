"""Runs on disk: their directories, checkpoints and records; training with them and reading them back."""
