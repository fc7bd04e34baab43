"""When a run saves without being told."""

#: Seconds between two such saves, at least.
INTERVAL = 300.0
#: Share of the time that they may take.
SHARE = 0.01
#: Bytes a second that a save is taken to write, until one has been measured.
SPEED = 200e6


class Pace:
    """Every five minutes, or less often where saving takes long.

    Args:
      size: bytes of a checkpoint.
      now: seconds, of any clock that only goes forward.
    """

    def __init__(self, size: int, now: float):
        self._last, self._cost = now, size / SPEED

    def due(self, now: float) -> bool:
        """Whether it is time to save."""
        return now - self._last >= max(INTERVAL, self._cost / SHARE)

    def saved(self, now: float, cost: float) -> None:
        """Note that a save has ended, and the seconds it took."""
        self._last, self._cost = now, cost
