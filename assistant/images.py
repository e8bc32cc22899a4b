"""The door for pixels: decode, rotate, RGB, size limits; and the one place that knows two coordinate frames.

Everything outside `Frame` is in pixels of the photo as uploaded, `[x0, y0, x1, y1]`, origin top left.
"""

import io
import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from assistant import UserError

ImageSource = str | os.PathLike[str] | Image.Image | np.ndarray | bytes | bytearray | memoryview
Box = tuple[int, int, int, int]

MAX_MEGAPIXELS = 100  # 1 GB while decoding; beyond it a forged header is likelier than a photo
MIN_SIDE = 8  # below this there is nothing to compare: the encoder's finest cell covers as much
MAX_ASPECT_RATIO = 1.5  # everything is stretched to a square, so such a reference shows other shapes
MAX_SCALE_RATIO = 3.0  # a reference this much smaller or larger shows other texture
# By name, because Pillow would else also try EPS (which starts Ghostscript) and a dozen rarities.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP", "JPEG2000", "AVIF")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_ORIENTATION = 0x0112  # the EXIF tag


def load_image(source: ImageSource) -> np.ndarray:
    """Any photo -> (H, W, 3) uint8 RGB, upright.

    EXIF rotation is applied, transparency is laid on white, an animation gives its first frame. Deep
    grey values (16 and 32 bit, float) are brought to 8 bits by the range they use: up to 255 they are
    8-bit values in a wide container, up to 4095 a 12-bit camera's, else the full 16-bit scale; floats
    within [0, 1] count as fractions; anything negative or above 65535 is stretched from its least to
    its greatest value.

    Args:
        source: path, encoded bytes, PIL image, or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Raises:
        UserError: missing, unreadable, empty, a folder, not an image, truncated, above
            `MAX_MEGAPIXELS` (told from the header, before decoding) or under `MIN_SIDE` pixels a side.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _decode(source, "the image")
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_stream(io.BytesIO(source), "the image data", len(source))
    return _from_path(Path(source))


def _from_path(path: Path) -> np.ndarray:
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder", "name an image file inside it")
        if not path.exists():
            raise UserError(f"{path} does not exist", "check the path")
        if not path.is_file():
            raise UserError(f"{path} is not a regular file", "name an image file")
        with path.open("rb") as stream:
            return _from_stream(stream, str(path), path.stat().st_size)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror or error})", "check the file's permissions and the disk"
        ) from error


def _from_stream(stream: BinaryIO, name: str, size: int) -> np.ndarray:
    if size == 0:
        raise UserError(f"{name} is empty (0 bytes)", "save or copy the photo again")
    try:
        image = Image.open(stream, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(name, "") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is not an image that can be read", "use PNG, JPEG, TIFF, WebP, BMP or GIF") from error
    except Exception as error:  # a damaged header: see `_decode`
        raise _damaged(name) from error
    with image:
        return _decode(image, name)


def _decode(image: Image.Image, name: str) -> np.ndarray:
    """An opened PIL image -> (H, W, 3) uint8; its size is checked before any pixel is decoded."""
    _check_size(image.size, name)
    try:
        image.load()
        # After load(): Pillow turns TIFFs itself while loading and then drops the tag.
        orientation = image.getexif().get(_ORIENTATION)
    except Exception as error:  # Pillow's decoders raise a dozen types over damaged files
        raise _damaged(name) from error
    rgb = _to_rgb(image)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    return np.array(rgb)  # a copy: np.asarray would be read-only


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image  # convert() would copy it
    if image.mode[0] in "IF":  # I, I;16, I;16B, F
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data or image.mode in ("La", "RGBa"):
        if image.mode == "La":
            image = image.convert("LA")
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _from_array(values: np.ndarray) -> np.ndarray:
    """An array in any of the shapes and types of `load_image` -> (H, W, 3) uint8."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise UserError(f"an array of shape {values.shape} is not an image", "give (H, W), (H, W, 3) or (H, W, 4)")
    if values.dtype.kind not in "biuf":
        raise UserError(f"an array of {values.dtype} is not an image", "give uint8, uint16 or float values")
    _check_size((values.shape[1], values.shape[0]), "the array")
    if values.dtype == bool:
        values = values.astype(np.uint8) * 255
    elif values.dtype != np.uint8:
        values = _to_8_bit(values)
    return np.array(_to_rgb(Image.fromarray(np.ascontiguousarray(values))))


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """Deep values of any shape -> uint8 by the rule in `load_image`; not-a-number counts as 0."""
    fractions = values.dtype.kind == "f"
    if fractions:
        values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        span = (high - low) or 1.0
    else:
        low = 0.0
        span = next(top for top in (1.0 if fractions else 255.0, 255.0, 4095.0, 65535.0) if high <= top)
    return np.rint((values - np.float32(low)) * np.float32(255.0 / span)).astype(np.uint8)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise _too_large(name, f" ({width} x {height})")
    if min(size) < MIN_SIDE:
        raise UserError(f"{name} is too small ({width} x {height})", f"give at least {MIN_SIDE} x {MIN_SIDE} pixels")


def _too_large(name: str, size: str) -> UserError:
    return UserError(f"{name} is too large{size}", f"give at most {MAX_MEGAPIXELS} megapixels")


def _damaged(name: str) -> UserError:
    return UserError(f"{name} is truncated or damaged", "save or copy the photo again")


@dataclass(frozen=True, eq=False)
class Frame:
    """A photo and the square that the encoder sees; the one place that knows both coordinate frames.

    The whole photo is stretched to `size` x `size`: nothing is cropped, so every pixel is judged.

    Args:
        image: (H, W, 3) uint8 RGB, as from `load_image`.
        size: side of the encoder's input in pixels.
    """

    image: np.ndarray
    size: int

    def __post_init__(self) -> None:
        assert self.image.ndim == 3 and self.image.shape[2] == 3, self.image.shape
        assert self.image.dtype == np.uint8, self.image.dtype

    @cached_property
    def array(self) -> np.ndarray:
        """(size, size, 3) float32 in [0, 1], resized with antialiasing."""
        # The gap lets Pillow shrink by whole factors first: same picture, half the time on 12 MP.
        small = Image.fromarray(self.image).resize((self.size, self.size), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(small, dtype=np.float32) / np.float32(255.0)

    def to_original(self, scores: np.ndarray) -> np.ndarray:
        """Scores on the encoder's grid -> the photo's geometry, bilinear with half-pixel centers.

        Args:
            scores: (h, w) float, any grid that covers the whole square evenly.

        Returns:
            (H, W) float32; the middle of cell (i, j) lands at ((i + 0.5) H / h, (j + 0.5) W / w).
        """
        height, width = self.image.shape[:2]
        grid = Image.fromarray(np.ascontiguousarray(scores, dtype=np.float32))
        return np.array(grid.resize((width, height), Image.Resampling.BILINEAR))

    def box_to_original(self, box: tuple[float, float, float, float]) -> Box:
        """A box in the encoder's square (pixels of `size`) -> the smallest box of whole photo pixels around it."""
        height, width = self.image.shape[:2]
        x0, y0, x1, y1 = (
            edge * side / self.size for edge, side in zip(box, (width, height, width, height), strict=True)
        )
        left, top = min(max(math.floor(x0), 0), width - 1), min(max(math.floor(y0), 0), height - 1)
        return left, top, max(min(math.ceil(x1), width), left + 1), max(min(math.ceil(y1), height), top + 1)


def mismatch(query: np.ndarray, reference: np.ndarray) -> str | None:
    """A remark when a reference can hardly show the same product in the same pose, else None.

    Args:
        query, reference: (H, W, 3) photos; only their shapes are compared.
    """
    height, width = query.shape[:2]
    other_height, other_width = reference.shape[:2]
    sizes = f"{other_width} x {other_height} against {width} x {height} pixels"
    if abs(math.log(width / height * other_height / other_width)) > math.log(MAX_ASPECT_RATIO):
        return f"reference has another aspect ratio ({sizes}): compare photos of one product from one camera"
    if abs(math.log(math.sqrt(width * height / (other_width * other_height)))) > math.log(MAX_SCALE_RATIO):
        return f"reference has a very different size ({sizes}): compare photos of one product from one camera"
    return None
