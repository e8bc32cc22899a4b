"""Decoding of every common kind of picture, and the two coordinate frames."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from assistant import UserError
from assistant.images import Frame, load_image, mismatch


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGB", "BMP"), ("RGB", "TIFF"), ("RGB", "WEBP"), ("RGB", "JPEG"), ("RGB", "MPO"), ("L", "PNG"),
     ("1", "PNG"), ("P", "PNG"), ("P", "GIF"), ("LA", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("CMYK", "TIFF"),
     ("I;16", "PNG"), ("I;16", "TIFF"), ("F", "TIFF"), ("YCbCr", "JPEG")],
)  # fmt: skip
def test_every_mode_becomes_upright_rgb(mode: str, kind: str) -> None:
    grey = Image.fromarray(np.tile(np.where(np.arange(40) < 20, 0, 255).astype(np.uint8), (30, 1)))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = (grey if mode in ("1", "F") else grey.convert("RGB")).convert(mode)
    loaded = load_image(encoded(image, kind))
    assert loaded.shape == (30, 40, 3) and loaded.dtype == np.uint8
    assert loaded[:, :16].max() < 12 and loaded[:, 24:].min() > 243, f"{mode} in {kind}: dark left, bright right"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_rotation_is_applied(photo: np.ndarray, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(photo), kind, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    assert expected.shape[:2] == ((96, 128) if orientation < 5 else (128, 96))
    np.testing.assert_array_equal(load_image(data), expected)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_photo(photo: np.ndarray) -> None:
    data = encoded(Image.fromarray(photo), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xffgarbage")
    assert load_image(data).shape == photo.shape


@pytest.mark.parametrize(("top", "expected"), [(255, 255), (4095, 255), (65535, 255), (200, 200), (32768, 128)])
def test_16_bit_grey_is_scaled_by_the_bits_it_uses(top: int, expected: int) -> None:
    values = np.zeros((20, 20), dtype=np.uint16)
    values[10:] = top
    loaded = load_image(encoded(Image.fromarray(values), "PNG"))
    assert loaded[0, 0].tolist() == [0, 0, 0] and loaded[-1, -1].tolist() == [expected] * 3


def test_float_values() -> None:
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    for values in (ramp, ramp * 255, ramp * 4095, ramp * 2e6 - 1e6):
        loaded = load_image(values)
        assert loaded[0, 0, 0] == 0 and loaded[0, -1, 0] == 255
        assert abs(int(loaded[0, 32, 0]) - 130) <= 1
    holes = ramp.copy()
    holes[0, -1] = np.nan
    assert load_image(holes)[0, -1].tolist() == [0, 0, 0]


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 8, 16))
    for data in (encoded(image, "PNG"), encoded(image.quantize(8), "PNG"), encoded(image, "WEBP", lossless=True)):
        loaded = load_image(data)
        assert loaded[0, 0].tolist() == [255, 0, 0] and loaded[0, -1].tolist() == [255, 255, 255]


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert load_image(data)[0, 0].tolist() == [255, 0, 0]


def test_arrays_and_pil_images(photo: np.ndarray) -> None:
    for source in (photo, Image.fromarray(photo), np.dstack([photo, np.full((96, 128), 255, np.uint8)])):
        np.testing.assert_array_equal(load_image(source), photo)
    assert load_image(photo[:, :, 0]).shape == photo.shape
    assert load_image(photo[:, :, :1] > 90).max() == 255
    loaded = load_image(photo)
    loaded[:] = 0
    assert photo.any(), "the caller's array must stay as it was"


@pytest.mark.parametrize("shape", [(96,), (96, 128, 2), (3, 96, 128), (4, 96, 128, 3)])
def test_an_array_that_is_no_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="not an image"):
        load_image(np.zeros(shape, dtype=np.uint8))


def test_an_array_of_other_things() -> None:
    with pytest.raises(UserError, match="not an image"):
        load_image(np.zeros((20, 20), dtype=complex))


@pytest.mark.parametrize("shape", [(96, 128), (500, 40), (8, 8), (64, 64)])
def test_frame_shapes(shape: tuple[int, int]) -> None:
    frame = Frame(np.full((*shape, 3), 51, dtype=np.uint8), size=64)
    assert frame.array.shape == (64, 64, 3) and frame.array.dtype == np.float32
    np.testing.assert_allclose(frame.array, 0.2, atol=1e-6)
    back = frame.to_original(np.full((16, 16), 0.25))
    assert back.shape == shape and back.dtype == np.float32
    np.testing.assert_allclose(back, 0.25, atol=1e-6)


@pytest.mark.parametrize("shape", [(96, 128), (150, 90), (333, 217)])
@pytest.mark.parametrize("cell", [(0, 0), (3, 7), (7, 3), (4, 4)])
def test_an_impulse_lands_in_the_middle_of_its_pixels(shape: tuple[int, int], cell: tuple[int, int]) -> None:
    scores = np.zeros((8, 8))
    scores[cell] = 1
    back = Frame(np.zeros((*shape, 3), dtype=np.uint8), size=64).to_original(scores)
    # Away from the border the bump is symmetric, so its mean position is the middle of the cell.
    places = [axis for axis in (0, 1) if 0 < cell[axis] < 7]
    for axis in (0, 1):
        middle = (cell[axis] + 0.5) * shape[axis] / 8 - 0.5  # in pixel indices
        profile = back.max(axis=1 - axis)
        if axis in places:
            assert abs((profile * np.arange(shape[axis])).sum() / profile.sum() - middle) < 0.05
        assert profile[round(middle)] >= 0.9 * profile.max()


def test_the_photo_and_the_map_share_one_geometry() -> None:
    image = np.zeros((120, 200, 3), dtype=np.uint8)
    image[30:60, 50:100] = 255
    frame = Frame(image, size=80)
    back = frame.to_original(frame.array[:, :, 0]) > 0.5
    rows, columns = np.nonzero(back)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (30, 60, 50, 100)
    assert frame.box_to_original((20, 20, 40, 40)) == (50, 30, 100, 60)


def test_boxes_stay_in_the_photo_and_are_never_empty() -> None:
    frame = Frame(np.zeros((50, 100, 3), dtype=np.uint8), size=64)
    assert frame.box_to_original((-5, -5, 900, 900)) == (0, 0, 100, 50)
    x0, y0, x1, y1 = frame.box_to_original((64, 64, 64, 64))
    assert 0 <= x0 < x1 <= 100 and 0 <= y0 < y1 <= 50


def test_mismatch() -> None:
    query = np.zeros((100, 200, 3), dtype=np.uint8)
    assert mismatch(query, query) is None
    assert mismatch(query, np.zeros((110, 190, 3), dtype=np.uint8)) is None
    assert "aspect ratio" in str(mismatch(query, np.zeros((200, 100, 3), dtype=np.uint8)))
    assert "size" in str(mismatch(query, np.zeros((1000, 2000, 3), dtype=np.uint8)))
