"""What a checkpoint has learnt of one product: some good photos of it, and the calibration fitted on them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from assistant import UserError
from assistant.calibration import Calibration
from assistant.detectors.fused import EVIDENCE
from assistant.images import load_image

SETTINGS, PHOTOS = "product.json", "product"


@dataclass(frozen=True)
class Product:
    """A product that the assistant knows, so that photos of it need no references.

    `normals` are its good photos, (S, S, 3) uint8 of the encoder's size; `calibration` reads the statistics of a
    detector that compares with all of them.
    """

    name: str
    normals: Sequence[np.ndarray]
    calibration: Calibration

    def save(self, folder: str | Path) -> None:
        """Write beside a checkpoint: `product.json`, and the photos as PNG."""
        photos = Path(folder) / PHOTOS
        photos.mkdir(parents=True, exist_ok=True)
        for number, normal in enumerate(self.normals):
            Image.fromarray(normal).save(photos / f"{number:02d}.png")
        settings = {
            "name": self.name, "photos": len(self.normals), "evidence": EVIDENCE,
            "calibration": self.calibration.to_json(),
        }  # fmt: skip
        (Path(folder) / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> "Product | None":
        """Read what `save` wrote; None where a checkpoint was made for no product in particular.

        Raises:
            UserError: a file is missing or damaged, or was made by a version whose evidence was another.
        """
        folder = Path(folder)
        if not (folder / SETTINGS).is_file():
            return None
        try:
            settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            evidence = tuple(settings.get("evidence", ()))
            normals = [load_image(folder / PHOTOS / f"{number:02d}.png") for number in range(settings["photos"])]
            calibration = Calibration.from_json(settings["calibration"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError) as error:
            raise UserError(f"the product in {folder} is missing or damaged", "copy the checkpoint again") from error
        if evidence != EVIDENCE:
            raise UserError(
                f"the product in {folder} was learnt by another version of the detector",
                "train it again: anomaly-assistant train custom with its photos and another output",
            )
        return cls(settings["name"], normals, calibration)
