"""A page of samples to look at: each photo as it is, and beside it with the outlines of its defects."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from assistant.report import save_image
from data_gen.plan import Plan
from data_gen.sample import PALETTE, Row
from data_gen.shards import read_rows

COLUMNS, ROWS = 4, 6  # cells
SIDE, GAP, CAPTION = 160, 6, 18  # pixels: of a photo in its cell, between cells, of the line under them
INK, PAPER = (30, 32, 38), (250, 250, 248)


def write_contact_sheet(path: Path, shards: Sequence[Path], plan: Plan) -> None:
    """Write a PNG with samples from all over the data set.

    Raises:
        UserError: it cannot be written.
    """
    count = plan.recipe.count
    shown = min(COLUMNS * ROWS, count)
    save_image(path, draw_sheet([_row(shards, plan, number * count // shown) for number in range(shown)]))


def _row(shards: Sequence[Path], plan: Plan, index: int) -> Row:
    shard = index // plan.shard_rows
    rows = read_rows([shards[shard]], ("id", "images", "mask", "kinds", "varied", "difficulty"))
    return next(row for row in rows if row["id"] == index)


def draw_sheet(rows: Sequence[Row]) -> Image.Image:
    """The rows in a grid, from left to right."""
    pairs = [_pair(row) for row in rows]
    high = max(photo.height for photo, _ in pairs)
    wide, tall = 2 * SIDE + GAP, high + CAPTION + GAP
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (GAP + columns * (wide + GAP), GAP + lines * tall), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for number, (row, pair) in enumerate(zip(rows, pairs, strict=True)):
        left, top = GAP + number % columns * (wide + GAP), GAP + number // columns * tall
        for place, picture in enumerate(pair):
            corner = left + place * (SIDE + 2) + (SIDE - picture.width) // 2, top + (high - picture.height) // 2
            sheet.paste(picture, corner)
        draw.text((left, top + high + 2), _caption(row), font=font, fill=INK)
    return sheet


def _pair(row: Row) -> tuple[Image.Image, Image.Image]:
    """The photo fitted into a cell, and the same with outlines just outside the masks."""
    with Image.open(io.BytesIO(row["images"][0]["bytes"])) as image:
        share = SIDE / max(image.size)
        size = max(1, round(image.width * share)), max(1, round(image.height * share))
        photo = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    with Image.open(io.BytesIO(row["mask"]["bytes"])) as image:
        numbers = np.asarray(image.resize(size, Image.Resampling.NEAREST))
        exact = np.asarray(image)
    pixels = np.array(photo)
    for number in range(1, int(exact.max()) + 1):
        mask = numbers == number
        if not mask.any():  # too small to survive the scaling
            mask[tuple((np.argwhere(exact == number)[0] * share).astype(int))] = True
        outline = ndimage.binary_dilation(mask, iterations=3) & ~ndimage.binary_dilation(mask, iterations=2)
        pixels[outline] = PALETTE[3 * number : 3 * number + 3]
    return photo, Image.fromarray(pixels)


def _caption(row: Row) -> str:
    if row["kinds"]:
        return f"{', '.join(row['kinds'])}   difficulty {row['difficulty']:.2f}"
    return "good, taken again" if row["varied"] else "good"
