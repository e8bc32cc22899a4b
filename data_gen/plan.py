"""What a data set is to be: the user's recipe, checked; and the plan that fixes every byte of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import UserError, __version__
from assistant.inspection import KINDS

if TYPE_CHECKING:
    from data_gen.normals import Normals

DIFFICULTIES = {"easy": (0.0, 0.3), "medium": (0.3, 0.65), "hard": (0.65, 1.0), "mixed": (0.0, 1.0)}
SIZES = (48, 4096)  # pixels
MOST_REFERENCES = 8  # as many as a rendered product has
LEAST_ROWS, MOST_SHARDS = 100, 1000  # many small shards share out well, more files than this are a burden ...
MOST_ROWS = 2000  # ... but no shard is larger, for that much work is lost when a machine dies


@dataclass(frozen=True)
class Recipe:
    """What the user asks for.

    `size` is the longest side in pixels, `difficulty` one of `DIFFICULTIES`, `min_quality` and `good_share` are in
    [0, 1], `kinds` empty for all of them, `normals` None for rendered products, `templates` None for those that come
    with the package.

    Raises:
        UserError: a value that cannot be; the message lists those that can.
    """

    count: int
    normals: Path | None = None
    seed: int = 0
    size: int = 256
    kinds: tuple[str, ...] = ()
    difficulty: str = "mixed"
    min_quality: float = 0.0
    good_share: float = 0.4
    product: str | None = None
    references: int = 1
    templates: Path | None = None

    def __post_init__(self) -> None:
        _between("count", self.count, 1, 10**9)
        _between("seed", self.seed, 0, 2**63 - 1)
        _between("size", self.size, *SIZES)
        _between("min-quality", self.min_quality, 0, 1)
        _between("good-share", self.good_share, 0, 1)
        _between("references", self.references, 0, MOST_REFERENCES)
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise UserError(f"there is no defect kind {unknown[0]!r}", f"choose from {', '.join(KINDS)}")
        if self.difficulty not in DIFFICULTIES:
            raise UserError(f"there is no difficulty {self.difficulty!r}", f"choose from {', '.join(DIFFICULTIES)}")
        if self.product is not None and not self.product.strip():
            raise UserError("the product's name is empty", "leave --product out or name one")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"--{name} is {value}", f"give a value from {low} to {high}")


@dataclass(frozen=True)
class Plan:
    """A recipe with its good photos; `shard_rows` is the number of rows of every shard but the last."""

    recipe: Recipe
    normals: Normals
    shard_rows: int

    @classmethod
    def of(cls, recipe: Recipe, normals: Normals) -> Plan:
        """The plan whose shards are of a size that suits the count."""
        return cls(recipe, normals, max(LEAST_ROWS, min(MOST_ROWS, -(-recipe.count // MOST_SHARDS))))

    @property
    def shards(self) -> int:
        return -(-self.recipe.count // self.shard_rows)

    def samples(self, shard: int) -> range:
        """The sample numbers in a shard."""
        return range(shard * self.shard_rows, min((shard + 1) * self.shard_rows, self.recipe.count))

    def shard_name(self, shard: int) -> str:
        return f"train-{shard:05d}-of-{self.shards:05d}.parquet"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All that decides the bytes, as JSON values; of the folders their contents, not where they are."""
        values = {field.name: getattr(self.recipe, field.name) for field in fields(self.recipe)}
        templates = self.recipe.templates
        return values | {
            "version": __version__, "kinds": list(self.recipe.kinds or KINDS),
            "normals": self.normals.digest, "templates": templates and _digest(templates),
        }  # fmt: skip

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal data sets; kept in every shard, so that no two are mixed."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
