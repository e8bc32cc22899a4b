"""How much one visitor may ask, and how large a request may be."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MEGABYTE = 2**20
MAX_FILE = 50 * MEGABYTE  # one uploaded file: a photo of 24 megapixels as PNG
MAX_UPLOAD = 2048 * MEGABYTE  # one upload of many files
MAX_BODY = 64 * MEGABYTE  # anything else: a conversation with its pictures in base64
MAX_REFERENCES = 4  # good parts in one request
MAX_QUESTION = 2000  # characters
WAITING = 32  # requests for the model through the API that may wait; events of the page wait in Gradio's queue
QUEUE = 100  # events of the page that may wait, of all kinds together
VISITORS = 100  # visitors whose photos are kept in memory; the one who was away for longest goes first
PROGRAMS = 20  # the same for programs, of which nothing is kept


class Bucket:
    """Limits the rate of each visitor: `burst` requests at once, and `rate` more every second.

    Args:
        clock: seconds, ever rising.
    """

    KEPT = 10_000  # visitors remembered, so that many addresses do not fill the memory

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self.clock = rate, burst, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests left, and when that was
        self._lock = threading.Lock()

    def wait(self, visitor: str) -> float:
        """Take one request: 0 where it may go on, else the seconds until the next one may."""
        with self._lock:
            now = self.clock()
            left, before = self._levels.pop(visitor, (float(self.burst), now))
            left = min(self.burst, left + (now - before) * self.rate)
            seconds = 0.0 if left >= 1 else (1 - left) / self.rate
            self._levels[visitor] = (left if seconds else left - 1, now)
            while len(self._levels) > self.KEPT:
                self._levels.popitem(last=False)
            return seconds
