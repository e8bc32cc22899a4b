"""Many dialogues at once: each takes its steps in batches with others of like length."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from assistant import UserError
from assistant.evaluation.answering import LeftOut
from assistant.evaluation.answering.dialogue import Dialogue, Opened

BATCH = 32  # prompts: beyond this a CPU gains nothing; where it is too much for a GPU's memory, it is halved
WINDOW = 8 * BATCH  # rows that are open at once: among them those of like length are put together
PIXELS = 1 << 25  # of all photos that are open at once: 33 million, about 230 MB with their maps


def in_batches(
    dialogues: Iterable[Dialogue[Opened] | LeftOut], step: Callable[[Sequence[Dialogue[Opened]]], None]
) -> Iterator[Dialogue[Opened] | LeftOut]:
    """Bring dialogues to their end, each as soon as it is there; what was left out passes through.

    A window of them is open at once. In every round each takes its next step, in batches of like length; the places
    of those that are done are filled again. So memory does not grow with the number of questions.

    Args:
        step: asks the next question of each of a batch and appends the replies; where it raises `UserError`, or runs
            out of memory, nothing was appended.
    """
    waiting, window = iter(dialogues), list[Dialogue[Opened]]()
    while True:
        while len(window) < WINDOW and sum({d.row["image"]: d.pixels for d in window}.values()) < PIXELS:
            if (opened := next(waiting, None)) is None:
                break
            if isinstance(opened, LeftOut):
                yield opened
            else:
                window.append(opened)
        if not window:
            return
        window.sort(key=_length)
        failed = set[Dialogue[Opened]]()
        for start in range(0, len(window), BATCH):
            for dialogue, why in _step(window[start : start + BATCH], step):
                if why:
                    failed.add(dialogue)
                    yield LeftOut(f"{dialogue.row['image']}: {dialogue.row['question']}", why)
                elif dialogue.done:
                    yield dialogue
        window = [dialogue for dialogue in window if not dialogue.done and dialogue not in failed]


def _step(
    batch: Sequence[Dialogue[Opened]], step: Callable[[Sequence[Dialogue[Opened]]], None]
) -> Iterator[tuple[Dialogue[Opened], UserError | None]]:
    """Each of a batch, with why its step failed; a batch that fails is halved until it is clear which of them did."""
    why = None
    try:
        step(batch)
    except UserError as error:
        why = error
    except torch.OutOfMemoryError:
        why = UserError("one question alone does not fit into the memory", "use a smaller model or smaller photos")
    if why is None or len(batch) == 1:
        yield from ((dialogue, why) for dialogue in batch)
    else:  # here, where the error no longer holds on to the memory of the batch
        half = len(batch) // 2
        yield from _step(batch[:half], step)
        yield from _step(batch[half:], step)


def _length(dialogue: Dialogue[Opened]) -> tuple[int, str]:
    """Characters to read; the same question comes together, as the answers to it are of like length too."""
    return sum(map(len, [*dialogue.asked, *dialogue.replies])), dialogue.question
