"""Hashes of the photos that a checkpoint was trained on travel with it, so that evaluations can tell what it saw."""

from pathlib import Path

from accelerate import PartialState

from assistant.evaluation.leaks import TrainingHashes, merged
from assistant.evaluation.results import CHECKPOINTS
from training.config import AssistantConfig, DecoderConfig, StageConfig
from training.general import GeneralRows
from training.pictures import find_pictures


def record_training_photos(config: StageConfig) -> None:
    """Hash all photos that a stage draws from into `config.output`, with those of the checkpoints it started from."""
    if not PartialState().is_main_process:
        return
    folders = [*config.photos, *getattr(config, "products", ())]
    folders += config.data if isinstance(config, DecoderConfig) else ()
    photos = find_pictures(folders) + _general(config)
    before = merged([_folder(getattr(config, part, None)) for part in ("init", "encoder", "detector")])
    seen = TrainingHashes.of(photos)
    (seen.merge(before) if before else seen).save(config.output)


def _folder(checkpoint: str | None) -> Path | None:
    if checkpoint is None:
        return None
    return CHECKPOINTS / checkpoint if (CHECKPOINTS / checkpoint).is_dir() else Path(checkpoint)


def _general(config: StageConfig) -> list[Path]:
    """The pictures of the general instructions."""
    if not isinstance(config, AssistantConfig) or config.general is None:
        return []
    path = Path(config.general)
    rows = GeneralRows(path, Path(config.general_images or path.parent), config.seed).rows
    return sorted({Path(picture) for pictures, _ in rows for picture in pictures})
