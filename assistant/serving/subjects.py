"""From a request of a program to an inspected photo: model, product, references, turns said before."""

from collections.abc import Sequence

import numpy as np

from assistant import UserError
from assistant.conversation import Chat
from assistant.corrections import NO_CORRECTIONS, Corrections
from assistant.images import ImageSource
from assistant.web.workshop import Workshop


def open_chat(
    workshop: Workshop,
    photo: np.ndarray,
    references: Sequence[np.ndarray] = (),
    product: str = "",
    model: str = "",
) -> Chat:
    """A conversation about a photo (H, W, 3), compared with `references`, else with the good parts of a product.

    What users accepted or marked on photos of the product holds here, too.

    Args:
        product: the name of a stored product; empty for none.
        model: one of the workshop's; empty for its default.

    Raises:
        UserError: no such product or model.
    """
    known: Sequence[ImageSource] = references
    corrections: Corrections = NO_CORRECTIONS
    if product:
        number, stored = find_product(workshop, product)
        known, corrections = references or stored, workshop.store.corrections.active(number)
    assistant = workshop.assistant(model or workshop.default)
    return assistant.start_chat(photo, references=known, corrections=corrections)


def find_product(workshop: Workshop, name: str) -> tuple[int, Sequence[ImageSource]]:
    """The number of a stored product and its photos of good parts. Raises UserError where there is none."""
    products = workshop.store.products.list()
    for one in products:
        if one.name.casefold() == name.strip().casefold():
            return one.id, one.references
    known = ", ".join(one.name for one in products[:20]) or "there is none yet"
    raise UserError(f"there is no product {name!r}", f"name a stored one ({known})")
