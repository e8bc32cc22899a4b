"""The published generators: exact blending, one blob of a real defect's size, pixels from the sources."""

import numpy as np
import pytest
from scipy import ndimage

from data_gen.noise import gradient_noise
from data_gen.procedural import Product
from data_gen.synthesizers import load_synthesizer
from data_gen.synthesizers.canvas import Canvas, Subject, open_canvas
from data_gen.synthesizers.painter import VISIBLE, changed_pixels
from data_gen.synthesizers.perlin import perlin_blob, shuffled_blocks
from data_gen.synthesizers.poisson import blend_change, solve_poisson

NAMES = (
    "poisson patch",
    "cut paste",
    "scar",
    "perlin texture stain",
    "perlin texture contamination",
    "perlin structure",
)
PHOTOS = [
    Product(family, 4).photo(np.random.default_rng(8), 160)
    for family in ("cast metal", "woven cloth", "moulded part", "circuit board")
]


def canvas_on(photo: np.ndarray, area: float, seed: int = 0) -> Canvas:
    """A canvas over the whole of `photo`, with its defect in the middle."""
    height, width = photo.shape[:2]
    subject = Subject(photo, np.ones((height, width), bool), None)
    return open_canvas(
        subject, np.random.default_rng(seed), place=(height / 2, width / 2), area=area, box=(0, 0, height, width),
        lines=[], difficulty=0.5, contrast=30.0, sources=(),
    )  # fmt: skip


def test_poisson_solver_agrees_with_a_dense_solve() -> None:
    rng, height, width = np.random.default_rng(0), 5, 7
    laplacian = np.zeros((height * width, height * width))
    for y in range(height):
        for x in range(width):
            laplacian[y * width + x, y * width + x] = -4
            for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if 0 <= y + down < height and 0 <= x + right < width:
                    laplacian[y * width + x, (y + down) * width + x + right] = 1
    divergence = rng.normal(0, 50, (3, height, width))
    dense = np.linalg.solve(laplacian, divergence.reshape(3, -1).T).T.reshape(3, height, width)
    assert np.allclose(solve_poisson(divergence), dense, rtol=1e-5)
    assert np.allclose(solve_poisson(divergence.astype(np.float32)), dense, atol=1e-3)


def test_the_blend_has_the_gradients_of_the_patch_inside_and_no_seam() -> None:
    rng = np.random.default_rng(0)
    image, patch = (ndimage.gaussian_filter(rng.normal(100, 300, (40, 44, 3)), (2, 2, 0)) for _ in range(2))
    image, patch = image.astype(np.float32), (patch + 70).astype(np.float32)
    cover = np.zeros((40, 44), np.float32)
    cover[8:30, 9:33] = 1
    blended = image + blend_change(image, patch, cover, mixed=False)
    stencil = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[..., None]
    have, want = (ndimage.convolve(x, stencil)[9:29, 10:32] for x in (blended, patch))
    assert np.abs(have - want).max() < 0.02
    seams = [
        np.abs(np.diff(x, axis=0))[7, 9:33].mean() for x in (np.where(cover[..., None] > 0, patch, image), blended)
    ]
    natural = np.abs(np.diff(image, axis=0)).mean()
    assert seams[0] > 5 * natural and seams[1] < 1.5 * natural


def test_an_even_offset_vanishes_and_mixed_gradients_keep_the_photo_s_edges() -> None:
    image = PHOTOS[0][:40, :40].astype(np.float32)
    cover = np.ones((40, 40), np.float32)
    cover[[0, -1]] = cover[:, [0, -1]] = 0
    assert np.abs(blend_change(image, image + 60, cover, mixed=False)).max() < 0.01
    step = np.full((40, 40, 3), 50, np.float32)
    step[:, 20:] = 200
    plain = np.full_like(step, 120)
    assert np.abs(blend_change(step, plain, cover, mixed=True)).max() < 0.01
    assert np.abs(blend_change(step, plain, cover, mixed=False)).max() > 30


@pytest.mark.parametrize("name", NAMES)
def test_masks_are_the_visible_change_at_every_difficulty(name: str) -> None:
    sources = [PHOTOS[1], np.ascontiguousarray(PHOTOS[0][:100, :130])]  # another size than the photo
    for photo in PHOTOS:
        for difficulty in (0.0, 0.5, 1.0):
            made = [
                load_synthesizer(name)(photo, np.random.default_rng(3), difficulty=difficulty, sources=sources)
                for _ in range(2)
            ]
            assert made[0].image.tobytes() == made[1].image.tobytes()
            assert made[0].mask.tobytes() == made[1].mask.tobytes()
            changed = np.abs(made[0].image.astype(int) - photo).max(2)
            assert not changed[~made[0].mask].any()
            core = ndimage.binary_dilation(changed > VISIBLE, iterations=3)
            assert core[made[0].mask].mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_defects_are_one_blob_of_the_size_of_real_ones(name: str) -> None:
    blobs, areas = [], []
    for seed in range(40):
        defect = load_synthesizer(name)(PHOTOS[seed % 2], np.random.default_rng(seed))
        blobs.append(ndimage.label(defect.mask, np.ones((3, 3)))[1])
        areas.append(defect.mask.mean())
    assert np.median(blobs) == 1 and np.percentile(blobs, 80) <= 3
    assert 0.001 < np.median(areas) < 0.015
    assert np.percentile(areas, 10) < 0.003 and max(areas) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_difficulty_makes_defects_smaller_and_fainter(name: str) -> None:
    def look(difficulty: float) -> tuple[float, float]:
        make, areas, changes = load_synthesizer(name), [], []
        for seed in range(12):
            defect = make(PHOTOS[0], np.random.default_rng(seed), difficulty=difficulty)
            change = np.abs(defect.image.astype(float) - PHOTOS[0]).mean(2)
            areas.append(defect.mask.mean())
            changes.append(change[defect.mask].mean())
        return float(np.median(areas)), float(np.median(changes))

    easy, hard = look(0.1), look(0.9)
    assert easy[0] > 3 * hard[0] and easy[1] > 1.3 * hard[1]


@pytest.mark.parametrize("name", ("poisson patch", "perlin texture stain", "perlin texture contamination"))
def test_patches_come_from_the_sources(name: str) -> None:
    rng = np.random.default_rng(0)
    photo = (np.array([150, 110, 80]) + rng.normal(0, 1.5, (128, 128, 1))).astype(np.uint8)
    stripes = np.zeros_like(photo)
    stripes[::4] = stripes[1::4] = 255  # nothing else at hand has such steep edges every other row

    def striped(sources: tuple[np.ndarray, ...]) -> int:
        count = 0
        for seed in range(24):
            defect = load_synthesizer(name)(photo, np.random.default_rng(seed), difficulty=0.0, sources=sources)
            grey = defect.image.mean(2)
            spread = ndimage.generic_gradient_magnitude(grey, ndimage.sobel)[
                ndimage.binary_erosion(defect.mask, iterations=4)
            ]
            count += bool(len(spread)) and float(np.median(spread)) > 60
        return count

    assert striped((stripes,)) >= striped(()) + 4


def test_a_perlin_blob_has_the_wished_area_and_lies_in_the_middle() -> None:
    for seed, area in enumerate((60, 300, 1200)):
        cover = perlin_blob(canvas_on(PHOTOS[0], area, seed))
        assert abs(float(cover.sum()) / area - 1) < 0.2
        assert np.hypot(*(np.array(ndimage.center_of_mass(cover)) - 80)) < np.sqrt(area)


def test_shuffled_blocks_are_pieces_of_the_photo() -> None:
    photo = PHOTOS[3]
    windows = np.lib.stride_tricks.sliding_window_view(photo, (9, 9, 3)).reshape(-1, 243)
    blocks = shuffled_blocks(canvas_on(photo, 500), (slice(10, 37), slice(20, 38)), 9)
    assert blocks.shape == (27, 18, 3)
    for top in range(0, 27, 9):
        for left in range(0, 18, 9):
            assert (windows == blocks[top : top + 9, left : left + 9].reshape(-1)).all(1).any()


def test_gradient_noise_is_perlin_s() -> None:
    rng = np.random.default_rng(0)
    field = gradient_noise((200, 150), 24, rng)
    assert field.shape == (200, 150) and field.dtype == np.float32
    assert abs(field.mean()) < 0.1 and 0.2 < field.std() < 0.5 and np.abs(field).max() <= 1.0
    assert np.abs(np.diff(field, axis=0)).max() < 4 / 24  # smooth on the scale asked for
    assert np.abs(np.fft.rfft2(field))[12:100, 10:].max() < 0.1 * np.abs(np.fft.rfft2(field)).max()


def test_changed_pixels_of_nothing_is_empty() -> None:
    assert not changed_pixels(PHOTOS[0], PHOTOS[0].copy()).any()
