"""LLaVA's JSON (Liu et al. 2023) with its photos: a photo is good or defective by what its answers state.

A list of `{"id": ..., "image": PATH or list, "conversations": [{"from": "human" | "gpt", "value": TEXT}, ...]}`, as
`generate --export llava` writes it; of several pictures the first is talked about. They lie beside it or in `images/`.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from PIL import Image

from assistant import UserError
from assistant.boxes import Box, find_box, find_boxes
from assistant.choices import named_letter, parse_choices
from assistant.claims import asks_about_part, claims, sentences
from assistant.evaluation.llava_json import read_entry
from assistant.evaluation.results import remark
from assistant.evaluation.stated import stated_verdict
from assistant.layouts import COMBINED, Mask, Photo, Product
from assistant.layouts.masks import Boxes
from assistant.lexicon import NEGATION

HEAD = 1 << 16  # bytes that tell the kind of file, so that a large one of another kind is not read
LIST = re.compile(rb"\s*\[\s*\{")
SIDEWAYS = range(5, 9)  # EXIF orientations that swap width and height
ORIENTATION = 0x0112

Pair = tuple[str, str]  # question, answer


def conversations(root: Path) -> Path | None:
    """The LLaVA-JSON of a folder; None where there is none.

    Raises:
        UserError: there are several.
    """
    found = [path for path in sorted(root.glob("*.json")) if path.is_file() and _is_llava(path)]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{root} holds several files of conversations: {names}", "leave one in it, or join them")
    return found[0] if found else None


def _is_llava(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    return LIST.match(head) is not None and b'"conversations"' in head and b'"image"' in head


def read(root: Path) -> list[Product] | None:
    """One product with the photos whose answers tell what they are; None where there is no LLaVA-JSON.

    How many are left out, because nothing tells or the file is not there, is said in one remark.

    Raises:
        UserError: the file is no whole JSON, or no photo is left.
    """
    table = conversations(root)
    if table is None:
        return None
    pairs = _pairs(table)
    places = {name: _locate(root, name) for name in pairs}
    found = [_photo(path, pairs[name]) for name, path in sorted(places.items()) if path is not None]
    photos = tuple(photo for photo in found if photo is not None)
    if pairs and not found:
        raise UserError(f"none of the photos that {table} names is there", "put them beside it or into images/")
    if untold := len(found) - len(photos):
        remark(f"left out: {untold} of {len(pairs)} photos, since no answer in {table} tells whether they are good")
    if missing := len(pairs) - len(found):
        remark(f"left out: {missing} of {len(pairs)} photos, named in {table} and not there")
    if not photos:
        raise UserError(f"no answer in {table} tells of a photo whether it is good", "name another folder or layout")
    return [Product(root.resolve().name, photos)]


def _pairs(table: Path) -> dict[str, list[Pair]]:
    """What is asked and answered about each photo, in all entries together."""
    try:
        entries: list[Any] = json.loads(table.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{table} is no whole JSON ({error})", "export or download it again") from error
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for entry in entries:
        if (found := read_entry(entry)) is not None:
            pairs[str(found[0][0])] += found[1]
    return pairs


def _locate(root: Path, name: str) -> Path | None:
    return next((path for path in (root / name, root / "images" / name) if path.is_file()), None)


def _photo(path: Path, pairs: list[Pair]) -> Photo | None:
    """The photo; None where no answer states a verdict, or one says the contrary of another."""
    pairs = [(question, _of_defects(_spelt_out(question, answer))) for question, answer in pairs]
    verdicts = {_verdict(*pair) for pair in pairs} & {"good", "defective"}
    if len(verdicts) != 1:
        return None
    if verdicts == {"good"}:
        return Photo(path, False)
    said = [claim for _, answer in pairs for claim in claims(answer) if claim.kind == "type"]
    kinds = list(dict.fromkeys(str(claim.value) for claim in said if not claim.negated and not claim.bound))
    return Photo(path, True, (kinds[0] if len(kinds) == 1 else COMBINED) if kinds else None, _mask(path, pairs))


def _spelt_out(question: str, answer: str) -> str:
    """The text of the option where an answer names a letter."""
    choices = parse_choices(question)
    letter = named_letter(answer, choices) if choices else None
    return choices.options[letter] if choices and letter else answer


def _of_defects(answer: str) -> str:
    """The answer without the sentences that say of a box that it holds nothing."""
    parts = [part for _, part in sentences(answer)]
    return " ".join(part for part in parts if not (find_boxes(part) and NEGATION.search(part.lower())))


def _verdict(question: str, answer: str) -> str | None:
    """The verdict stated of the whole photo: that a box holds nothing says little of it."""
    choices = parse_choices(question)
    verdict = stated_verdict(answer, choices.stem if choices else question)
    return None if verdict == "good" and find_box(question) else verdict


def _mask(path: Path, pairs: list[Pair]) -> Mask | None:
    """The boxes that answers give, in pixels; None where there are none, or they are fractions or of another photo."""
    boxes = [box for pair in pairs for box in _boxes(*pair)]
    if not boxes or all(box[2] <= 1 and box[3] <= 1 for box in boxes):
        return None
    width, height = _upright_size(path)
    if any(x0 < 0 or y0 < 0 or x1 > width or y1 > height for x0, y0, x1, y1 in boxes):
        return None
    return Boxes(tuple(dict.fromkeys(boxes)), (height, width))


def _boxes(question: str, answer: str) -> list[Box]:
    """Boxes of defects in an answer; those of something else do not count."""
    about = stated_verdict(answer, question) == "defective" or asks_about_part(question)
    return find_boxes(answer) if about else []


def _upright_size(path: Path) -> tuple[int, int]:
    """(width, height) as `load_image` gives the photo, from its header; (0, 0) where it cannot be read."""
    try:
        with Image.open(path) as image:
            sideways = image.getexif().get(ORIENTATION) in SIDEWAYS
            return (image.height, image.width) if sideways else image.size
    except (OSError, Image.DecompressionBombError):
        return 0, 0
