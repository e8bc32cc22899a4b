"""Processors of transformers as this project needs them: for photos, without the part for videos."""

from pathlib import Path
from typing import Any

import transformers
from transformers import AutoConfig, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES


def load_base_processor(name_or_path: str | Path, **hub: Any) -> ProcessorMixin:
    """The processor of a plain base model (hub id or folder), for photos."""
    config = AutoConfig.from_pretrained(str(name_or_path), **hub)
    name = PROCESSOR_MAPPING_NAMES[config.model_type]
    return photo_processor_class(name).from_pretrained(str(name_or_path), **hub)


def photo_processor_class(name: str) -> type[ProcessorMixin]:
    """A processor class of transformers without its part for videos, which nothing here reads and which asks for
    torchvision."""
    found: type[ProcessorMixin] = getattr(transformers, name)
    parts = found.get_attributes()
    if "video_processor" not in parts:
        return found

    class PhotoProcessor(found):
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [part for part in parts if part != "video_processor"]

        @classmethod
        def from_args_and_dict(cls, args: list[Any], processor_dict: dict[str, Any], **hub: Any) -> ProcessorMixin:
            position = parts.index("video_processor")
            return super().from_args_and_dict([*args[:position], None, *args[position:]], processor_dict, **hub)

    PhotoProcessor.__name__ = name  # what is saved names the class of transformers
    return PhotoProcessor
