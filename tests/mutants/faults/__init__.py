"""The faults by area; each file has a list `FAULTS`."""
