"""The command line for a page that runs it beside itself: `python -m assistant.web.tethered COMMAND ...`.

It ends when the process that started it does, however that ends: its standard input is then closed. So nothing goes on
unseen, and a training that is started again finds no other one in its folder. And it gives way to the page.
"""

import os
import sys
import threading

NICE = 5  # of 19: answers come first, and where nobody asks anything training is as fast as ever
ORPHANED = 3  # exit code


def _leave_with_parent(rope: int) -> None:
    # The descriptor, not `sys.stdin`: that is locked while it is read, and a forked worker, which closes it, would wait
    # for ever.
    while os.read(rope, 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    threading.Thread(target=_leave_with_parent, args=(os.dup(0),), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICE)
    from assistant.cli import main

    main(sys.argv[1:])
