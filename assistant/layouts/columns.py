"""Which columns of a data set hold the photo, its label, mask, kinds and product; and what a row then says.

Features are those of `datasets`, told by the names of their classes, so that nothing is imported here.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from assistant.layouts import BAD_NAMES, COMBINED, GOOD_NAMES

LABELS = ("defective", "anomaly", "label")  # a label by name too, hence true or 1 is defective
PHOTOS = ("image", "images")  # these first, then any other column of pictures that is no mask
MASKS = ("mask", "ground_truth")
KINDS = "kinds"
PRODUCTS = ("group", "category", "object")  # our generator's word, MVTec AD's and VisA's

Meaning = tuple[bool, str | None]  # defective, kind


@dataclass(frozen=True)
class Columns:
    """Names of columns, None for what is not there; `meanings` tells what each value of the label means."""

    photo: str
    label: str
    meanings: Mapping[Any, Meaning]
    mask: str | None
    kinds: str | None
    product: str | None

    @property
    def names(self) -> list[str]:
        """The columns that are there."""
        return [name for name in (self.photo, self.label, self.mask, self.kinds, self.product) if name is not None]

    def meaning(self, row: Mapping[str, Any]) -> Meaning | None:
        """What a row says of its photo; None where its label is empty."""
        found = self.meanings.get(row[self.label])
        if found is None or self.kinds is None or not found[0]:
            return found
        kinds = list(dict.fromkeys(row[self.kinds] or ()))
        return True, (kinds[0] if len(kinds) == 1 else COMBINED) if kinds else found[1]


def find_columns(features: Mapping[str, Any], values: Callable[[list[str]], Mapping[str, Set[Any]]]) -> Columns | None:
    """The columns of a labelled set of photos; None where there are no photos or no labels.

    Args:
        features: column -> its feature.
        values: names of columns -> those with few distinct values, and which (without None). Called once, and only
            where there are photos.
    """
    pictures = [name for name, feature in features.items() if _is_picture(feature) or _is_picture(_inner(feature))]
    photo = next((name for name in (*PHOTOS, *pictures) if name in pictures and name not in MASKS), None)
    if photo is None:
        return None
    texts = [name for name, feature in features.items() if "string" in _kind(feature)]
    flags = [name for name in LABELS if _kind(features.get(name)).startswith(("bool", "int", "uint"))]
    found = values([*texts, *flags])
    for name in dict.fromkeys((*(label for label in LABELS if label in features), *features)):
        classes = getattr(features[name], "names", None)
        given = dict(enumerate(classes)) if classes else {value: value for value in found.get(name, ())}
        meanings = _flags(given) if name in flags else _names(given, others=bool(classes) or name in LABELS)
        if meanings:
            mask = next((mask for mask in MASKS if mask in pictures), None)
            kinds = KINDS if "string" in _kind(_inner(features.get(KINDS))) else None
            product = next((column for column in PRODUCTS if column in texts and column != name), None)
            return Columns(photo, name, meanings, mask, kinds, product)
    return None


def _is_picture(feature: Any) -> bool:
    return type(feature).__name__ == "Image" or isinstance(feature, dict) and set(feature) == {"bytes", "path"}


def _inner(feature: Any) -> Any:
    """What a list holds; None for what is no list."""
    return feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)


def _kind(feature: Any) -> str:
    """The type of a plain value ("bool", "int64", "large_string"); empty for others."""
    return str(feature.dtype) if type(feature).__name__ == "Value" else ""


def _flags(given: Mapping[Any, Any]) -> dict[Any, Meaning]:
    return {value: (bool(value), None) for value in given} if set(given) <= {0, 1} else {}


def _names(given: Mapping[Any, Any], *, others: bool) -> dict[Any, Meaning]:
    """By the words for good and bad; beside a word for good other names are kinds of defects, if `others` may be.

    A column that is no label by its type or name must hold both words, and nothing else.
    """
    words = {value: str(name).strip().lower() for value, name in given.items()}
    good, bad = ({value for value, word in words.items() if word in known} for known in (GOOD_NAMES, BAD_NAMES))
    if not (good or bad and len(bad) == len(words) if others else good and bad and len(good | bad) == len(words)):
        return {}
    return {value: (value not in good, None if value in good or value in bad else str(given[value])) for value in words}
