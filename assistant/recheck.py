"""After a correction: are the defects that a product is known for still found?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.corrections import Corrections, Mark
from assistant.images import ImageSource
from assistant.inspection import REGION_LEVEL

if TYPE_CHECKING:
    from assistant.assistant import Assistant


@dataclass(frozen=True)
class Recheck:
    """What a correction does to the product's known defects.

    `hidden` were found before and are not any more; `checked` counts all that were inspected again.
    """

    hidden: tuple[Mark, ...]
    checked: int


def recheck(
    assistant: "Assistant", references: Sequence[ImageSource], before: Corrections, after: Corrections
) -> Recheck:
    """Inspect every known defect again, each as if its own example were not known: then it stands for the next part
    with such a defect, which nobody has marked yet.

    Args:
        assistant: that inspects.
        references: photos of good parts, as for `Assistant.inspect`.
        before, after: the corrections without and with the change; defects that are in both are inspected.

    Raises:
        UserError: a photo cannot be read.
    """
    kept = {mark.key for mark in after.defects}
    known = [mark for mark in before.defects if mark.key in kept]
    hidden = [
        mark
        for mark in known
        if not is_found(assistant, references, mark, after.without(mark))
        and is_found(assistant, references, mark, before.without(mark))
    ]
    return Recheck(tuple(hidden), len(known))


def is_found(assistant: "Assistant", references: Sequence[ImageSource], mark: Mark, corrections: Corrections) -> bool:
    """Whether an inspection of the mark's photo would show a user something at the mark."""
    photo, mask = mark.load()
    inspection = assistant.inspect(photo, references, corrections=corrections)
    assert inspection.anomaly_map is not None
    level = min(REGION_LEVEL, 0.5 * float(inspection.anomaly_map.max()))  # as `find_regions`
    return inspection.verdict != "good" and bool(inspection.anomaly_map[mask].max() > level)
