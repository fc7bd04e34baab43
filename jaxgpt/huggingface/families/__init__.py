"""Families of Hugging Face models: one file each, called as its `model_type`."""
