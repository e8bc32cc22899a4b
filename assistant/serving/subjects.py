"""From a request of a program to an inspected photo: model, product, references, turns said before."""

from collections.abc import Sequence

import numpy as np

from assistant import UserError
from assistant.conversation import Chat
from assistant.corrections import NO_CORRECTIONS, Corrections
from assistant.images import ImageSource
from assistant.store.products import StoredProduct
from assistant.web.inspecting import MOST_REFERENCES
from assistant.web.workshop import Workshop

PROGRAM = "program"  # who asked, in the audit log


def open_chat(
    workshop: Workshop,
    photo: np.ndarray,
    references: Sequence[np.ndarray] = (),
    product: str = "",
    model: str = "",
    first: bool = True,
) -> Chat:
    """A conversation about a photo (H, W, 3), compared with `references`, else with the good parts of a product.

    What users accepted or marked on photos of the product holds here, too, and the verdict goes to the audit log.

    Args:
        product: the name of a stored product; empty for none.
        model: one of the workshop's; empty for its default.
        first: False where a conversation goes on, whose verdict is in the log already.

    Raises:
        UserError: no such product or model.
    """
    known: Sequence[ImageSource] = references
    corrections: Corrections = NO_CORRECTIONS
    stored = find_product(workshop, product) if product else None
    if stored is not None:
        known = references or stored.references[:MOST_REFERENCES]
        corrections = workshop.store.corrections.active(stored.id)
    assistant = workshop.assistant(model or workshop.default)
    chat = assistant.start_chat(photo, references=known, corrections=corrections)
    if first:
        workshop.store.log.add_verdict(chat.inspection, None if stored is None else stored.id, PROGRAM)
    return chat


def find_product(workshop: Workshop, name: str) -> StoredProduct:
    """A stored product by its name. Raises UserError where there is none."""
    products = workshop.store.products.list()
    for one in products:
        if one.name.casefold() == name.strip().casefold():
            return one
    known = ", ".join(one.name for one in products[:20]) or "there is none yet"
    raise UserError(f"there is no product {name!r}", f"name a stored one ({known})")
