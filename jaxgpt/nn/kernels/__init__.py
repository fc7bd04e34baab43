"""Computations that depend on the platform."""
