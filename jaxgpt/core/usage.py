"""The error of a command line that cannot be understood."""


class UsageError(ValueError):
    """A command line that cannot be understood; the message is one line."""
