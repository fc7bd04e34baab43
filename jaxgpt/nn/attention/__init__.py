"""Attention, and what it may see: masks and cached keys and values. One file a way to compute it."""
