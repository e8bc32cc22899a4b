"""Things on a photo that can be found from their name by their look: labels, and the background of the part."""

import re

import cv2
import numpy as np

from assistant.area import ROOM, Piece
from assistant.foreground import foreground
from assistant.labels import find_labels

LABEL = re.compile(
    r"(?:(?:white|yellow|red|blue|black|green|gr[ea]y|silver|paper|printed|type|name|rating|serial number) )*"
    r"(?P<noun>labels?|stickers?|tags?|bar ?codes?|name ?plates?|type ?plates?|plates?|decals?)"
)
BACKGROUND = re.compile(r"(?:plain |whole |entire |dark |bright |white |black )*(?:background|backdrop|surroundings)")


def find_thing(name: str, photo: np.ndarray) -> Piece | None:
    """Where a thing lies on a photo (H, W, 3) uint8, from its name without an article; None where nobody can tell."""
    if match := LABEL.fullmatch(name):
        labels = find_labels(photo)
        if not labels:
            return None
        wanted = labels if match["noun"].endswith("s") else labels[:1]
        return Piece.from_mask(f"the {name}", _with_room(np.logical_or.reduce(wanted)))
    if BACKGROUND.fullmatch(name):
        part = foreground(photo)
        return None if part.all() else Piece.from_mask(f"the {name}", ~part)
    return None


def _with_room(mask: np.ndarray) -> np.ndarray:
    """The mask grown by what the anomaly map needs to fade at its edge."""
    height, width = mask.shape
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * (height // ROOM) + 1, 2 * (width // ROOM) + 1))) > 0
