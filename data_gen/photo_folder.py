"""A folder of good photos: found, checked, scaled once, and drawn from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from assistant import UserError
from assistant.images import load_image
from assistant.layouts import load_layout, photos_below
from assistant.layouts.good_only import check_good
from data_gen.normals import Picture, Scene, encode
from data_gen.product_statistics import ProductStatistics

LEAST_SIDE = 32  # pixels, after scaling: on less there is no room for a defect beside its surroundings
LABELLED = ("mvtec", "good-bad")  # layouts in which photos of defects lie below a folder of good ones
LEARNT = 24  # photos at most that a product's statistics are learnt from, evenly spaced


@dataclass(frozen=True)
class PhotoFolder:
    """The usable photos below a folder, scaled once into `store`; photos of one subfolder are one group.

    `names` are paths relative to the folder, sorted; `digests` tell the bytes of each. `bad` holds what could not
    be used, (name, reason) each. `licence` is the first line of a licence file beside the photos, if there is one.
    """

    store: Path
    size: int
    product: str | None
    names: tuple[str, ...]
    digests: tuple[str, ...]
    digest: str
    bad: tuple[tuple[str, str], ...] = ()
    licence: str | None = None

    def scene(self, index: int, rng: Generator, references: int) -> Scene:
        own = int(rng.integers(len(self.names)))
        folder = _folder(self.names[own])
        first, last = self._folders[folder]
        others = last - first - 1
        chosen = [own][:references]
        if others:
            drawn = first + rng.choice(others, size=min(references, others), replace=False)
            chosen = [int(number) + int(number >= own) for number in drawn]
        return Scene(
            name=self.names[own], group=(folder or self.product or "photos").replace("/", "-"), product=self.product,
            photo=self._picture(own).pixels(), references=tuple(self._picture(i) for i in chosen), alone=not others,
        )  # fmt: skip

    def statistics(self, index: int, scene: Scene) -> ProductStatistics:
        first, last = self._folders[_folder(scene.name)]
        learnt = np.linspace(first, last - 1, min(LEARNT, last - first)).astype(int)
        return _statistics(tuple(_stored(self.store, self.digests[number], self.size) for number in learnt))

    @cached_property
    def _folders(self) -> dict[str, tuple[int, int]]:
        """Subfolder -> its photos' numbers (first, one past the last), for they stand together."""
        folders: dict[str, tuple[int, int]] = {}
        for number, name in enumerate(self.names):
            folder = _folder(name)
            folders[folder] = (folders.get(folder, (number, 0))[0], number + 1)
        return folders

    def _picture(self, number: int) -> Picture:
        return Picture(self.names[number], _stored(self.store, self.digests[number], self.size).read_bytes())


@lru_cache(maxsize=8)
def _statistics(paths: tuple[Path, ...]) -> ProductStatistics:
    return ProductStatistics.from_normals(Picture(path.name, path.read_bytes()).pixels() for path in paths)


def _folder(name: str) -> str:
    """The subfolder of a photo, empty for one that lies at the top."""
    return name.rpartition("/")[0]


def _stored(store: Path, digest: str, size: int) -> Path:
    return store / f"{digest}-{size}.png"


def find_photos(folder: Path) -> list[str]:
    """Image files at any depth, as relative posix paths; those of one folder stand together.

    Raises:
        UserError: no such folder, no image in it, or a folder in which something speaks of defects.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder", "name a folder of photos of good parts")
    for name in LABELLED:
        if any(product.bad() for product in load_layout(name)(folder) or ()):
            raise UserError(f"{folder} holds photos of defects too", "name the folder of good photos inside it")
    check_good(folder)
    relative = (path.relative_to(folder) for path in photos_below(folder))
    found = [path.as_posix() for path in relative if not any(part.startswith(".") for part in path.parts)]
    if not found:
        raise UserError(f"{folder} holds no photos", "name a folder of photos (PNG, JPEG, ...) of good parts")
    return sorted(found, key=lambda name: (_folder(name), name))


@dataclass(frozen=True)
class Prepared:
    """What became of one photo: the digest of its bytes (none could be read: empty), and why it is of no use."""

    name: str
    digest: str
    problem: str | None = None


@dataclass(frozen=True)
class Preparation:
    """Scales photos into a folder, once each: the name there is made of the file's bytes and the size."""

    folder: Path
    store: Path
    size: int

    def __call__(self, name: str) -> Prepared:
        path = self.folder / name
        try:
            if path.is_dir():
                raise UserError(f"{path} is a folder", "rename it")
            data = path.read_bytes()
        except (OSError, UserError) as error:
            return Prepared(name, "", self._reason(error))
        digest = hashlib.sha256(data).hexdigest()[:24]
        target = _stored(self.store, digest, self.size)
        if not target.exists():
            try:
                image = _scaled(load_image(path), self.size)
            except UserError as error:
                return Prepared(name, digest, self._reason(error))
            _write(target, encode(image))
        return Prepared(name, digest)

    def _reason(self, error: OSError | UserError) -> str:
        reason = error.what if isinstance(error, UserError) else error.strerror or str(error)
        return reason.replace(str(self.folder) + os.sep, "")


def _scaled(image: np.ndarray, size: int) -> np.ndarray:
    """Longest side at most `size`, never enlarged."""
    height, width = image.shape[:2]
    share = min(1.0, size / max(height, width))
    shape = max(1, round(width * share)), max(1, round(height * share))
    if min(shape) < LEAST_SIDE:
        raise UserError(f"the photo has only {min(shape)} pixels a side at size {size}", "raise --size")
    return image if share == 1 else cv2.resize(image, shape, interpolation=cv2.INTER_AREA)


def _write(target: Path, data: bytes) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


Map = Callable[[Callable[[str], Prepared], Iterable[str]], Iterable[Prepared]]


def prepare_photos(folder: Path, store: Path, size: int, product: str | None, mapped: Map) -> PhotoFolder:
    """Read every photo once, through `mapped` (as the built-in `map`), and keep what is usable.

    Raises:
        UserError: nothing is; or as `find_photos`.
    """
    results = list(mapped(Preparation(folder, store, size), find_photos(folder)))
    good = [result for result in results if result.problem is None]
    bad = tuple((result.name, result.problem) for result in results if result.problem is not None)
    if not good:
        raise UserError(f"none of the {len(bad)} photos in {folder} can be used ({bad[0][1]})", "give photos that open")
    mark = hashlib.sha256("\n".join(f"{result.name} {result.digest}" for result in good).encode())
    return PhotoFolder(
        store=store, size=size, product=product, names=tuple(result.name for result in good),
        digests=tuple(result.digest for result in good), digest=mark.hexdigest()[:24], bad=bad,
        licence=_licence(folder),
    )  # fmt: skip


def _licence(folder: Path) -> str | None:
    """Name and first line of a licence file in the folder."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
            return f"{path.name}: {next((line for line in lines if line), 'empty')}"
    return None
