"""Names of places on a photo -> pieces of it: halves, thirds, quarters, edges, corners, the nine cells of answers."""

import re

from assistant.area import Box, Piece
from assistant.lexicon import MIDDLE, ROWS

BORDER = 8  # the border of a photo is this part of its width and height, on each side
NOUN = (
    r"(?: (?:-?most )?(?P<noun>half|third|quarter|quadrant|side|part|portion|section|area|region|zone|corner|row|"
    r"column|strip|band|edge|border|rim|margin|end|cell))?"
)
OF_PHOTO = r"(?: (?:of|in|on) (?:the|this|that|my) (?:whole )?(?:photo|picture|image|part|piece|item|board|surface))?"
SIDE = re.compile(
    rf"(?:very |far |outer |whole |entire )*(?P<first>upper|top|lower|bottom|left|right|{MIDDLE})(?:most)?"
    rf"(?:(?:[ -](?:of the )?)(?P<second>upper|top|lower|bottom|left|right|{MIDDLE}))?(?: hand)?{NOUN}{OF_PHOTO}"
)
RIM = re.compile(
    rf"(?:outer |outside |very |whole )*(?:borders?|edges?|rims?|margins?|frame|perimeter|outline){OF_PHOTO}"
)
CORNERS = re.compile(rf"(?:four )?corners{OF_PHOTO}")


def named_place(name: str, size: tuple[int, int]) -> Piece | None:
    """A place of the photo from its name, without its article: "upper half", "lower left corner", "border"."""
    rim_x, rim_y = max(1, size[0] // BORDER), max(1, size[1] // BORDER)
    width, height = size
    if RIM.fullmatch(name):
        sides = ((0, 0, width, rim_y), (0, height - rim_y, width, height), (0, 0, rim_x, height))
        return Piece("the border area", (*sides, (width - rim_x, 0, width, height)))
    if CORNERS.fullmatch(name):
        return Piece("the corners", tuple(_cut(row, column, 3, size) for row in (0, -1) for column in (0, -1)))
    match = SIDE.fullmatch(name)
    if match is None:
        return None
    words = {_plain(word) for word in (match["first"], match["second"]) if word}
    row = next((word for word in ("upper", "lower") if word in words), None)
    column = next((word for word in ("left", "right") if word in words), None)
    return _side_or_cell(row, column, "center" in words, match["noun"] or "", size)


def _side_or_cell(row: str | None, column: str | None, center: bool, noun: str, size: tuple[int, int]) -> Piece:
    ends = {"upper": 0, "lower": -1, "left": 0, "right": -1, None: 1}
    quarter = noun in ("quarter", "quadrant")
    if (row and column) or center:  # one of nine cells, or of four quarters
        parts = 2 if quarter and row and column else 3
        words = f"{row or 'center'} {column or 'center'}" if row or column else "center"
        return Piece(f"the {words}{' quarter' if parts == 2 else ''}", (_cut(ends[row], ends[column], parts, size),))
    side = row or column
    if noun in ("edge", "border", "rim", "margin"):
        parts, noun = BORDER, "edge"
    elif quarter:
        parts, noun = 4, "quarter"
    elif noun in ("third", "row", "column", "strip", "band"):
        parts, noun = 3, "third"
    else:  # "the left side": how much that is nobody says, and the answer names what was taken
        parts, noun = 2, "half"
    box = _cut(ends[row] if row else None, ends[column] if column else None, parts, size)
    return Piece(f"the {side} {noun}", (box,))


def _plain(word: str) -> str:
    return ROWS.get(word, word if word in ("left", "right") else "center")


def _cut(row: int | None, column: int | None, parts: int, size: tuple[int, int]) -> Box:
    """One of `parts` equal rows and columns, counted from either end; None for all of them."""

    def span(index: int | None, length: int) -> tuple[int, int]:
        if index is None:
            return 0, length
        index %= parts
        return -(-index * length // parts), max(-(-(index + 1) * length // parts), 1)

    (y0, y1), (x0, x1) = span(row, size[1]), span(column, size[0])
    return x0, y0, x1, y1
