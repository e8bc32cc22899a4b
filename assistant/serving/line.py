"""The line of requests that wait for the model, apart from the threads that serve the page."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from assistant.serving.gate import Refused
from assistant.serving.limits import WAITING

AT_ONCE = 2  # while one answer is written, the next photo is inspected
BUSY = 5.0  # seconds to wait before asking again


class Line:
    """Runs generators in threads of its own, so that a slow model holds up nothing but this line."""

    def __init__(self, longest: int = WAITING) -> None:
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="line")
        self.places = threading.BoundedSemaphore(AT_ONCE + longest)

    async def run(
        self, work: Callable[[], Iterator[Any]], stop: Callable[[], object] = lambda: None
    ) -> AsyncGenerator[Any]:
        """What `work()` yields, as it comes. Whoever stops listening stops the work at its next item.

        Args:
            stop: ends the work sooner, within an item; called once nobody listens any more, from another thread.

        Raises:
            Refused: too many are waiting.
            Whatever the work raises.
        """
        if not self.places.acquire(blocking=False):
            raise Refused(503, "overloaded", "too many are waiting; try again in a few seconds", BUSY)
        loop, left = asyncio.get_running_loop(), threading.Event()
        items: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

        def tell(kind: str, item: Any = None) -> None:
            if not left.is_set():  # else nobody listens, and the loop itself may be gone
                loop.call_soon_threadsafe(items.put_nowait, (kind, item))

        def labour() -> None:
            try:
                with closing(work()) as pieces:  # type: ignore[type-var]
                    for piece in pieces:
                        if left.is_set():
                            return
                        tell("item", piece)
                tell("end")
            except BaseException as error:
                tell("error", error)  # raised again where it can be seen

        future = self.pool.submit(labour)
        future.add_done_callback(lambda _: self.places.release())
        try:
            while (told := await items.get())[0] == "item":
                yield told[1]
            if told[0] == "error":
                raise told[1]
        finally:
            left.set()
            stop()
            future.cancel()
