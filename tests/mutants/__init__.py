"""Faults planted one at a time, and the test that catches each: `python -m tests.mutants`."""
