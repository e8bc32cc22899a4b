"""Any image-text-to-text model of transformers, without our parts: the baseline beside ours."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedModel

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.answering import LeftOut, Model
from assistant.evaluation.answering.batches import in_batches
from assistant.evaluation.answering.dialogue import Dialogue
from assistant.evaluation.answering.prompts import MAX_NEW_TOKENS, Photos, build_messages, open_photos
from assistant.lvlm.batching import letter_scores, write
from assistant.lvlm.configuration import AnomalyLvlmConfig
from assistant.lvlm.photo_processor import load_base_processor
from assistant.lvlm.processing import AnomalyLvlmProcessor
from assistant.lvlm.vision_cache import remember_vision


class Plain:
    """A model and its own processor; neither map nor facts, and nothing checks its words.

    Args:
        model: for inference.
        processor: renders messages and pictures for it; no anomaly item is ever given to it.
    """

    def __init__(self, model: PreTrainedModel, processor: AnomalyLvlmProcessor) -> None:
        self.model, self.processor = model.eval(), processor
        remember_vision(model)  # the questions about a photo, and all about one product, share their pictures

    @classmethod
    def of(cls, chosen: Model) -> "Plain":
        """Raises `UserError` where there is no such model, or it is one of ours."""
        name = chosen.name
        try:
            if isinstance(AutoConfig.from_pretrained(name), AnomalyLvlmConfig):
                raise UserError(f"{name} is a model with our parts", "leave --plain out, or name its base")
            on_gpu = {"dtype": torch.bfloat16, "device_map": "auto"}
            loading = on_gpu if torch.cuda.is_available() else {"dtype": torch.float32}
            model = AutoModelForImageTextToText.from_pretrained(name, use_safetensors=True, **loading)
            return cls(model, AnomalyLvlmProcessor(load_base_processor(name)))
        except UserError:
            raise
        except (OSError, ValueError, KeyError, ImportError) as error:
            how = "name a folder or hub id of one that transformers opens for image-text-to-text"
            raise UserError(f"no usable vision-language model at {name!r} ({error})", how) from error

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Row | LeftOut]:
        """See `Answerer`."""
        for done in in_batches(_open(subjects, folder), self._step):
            yield done if isinstance(done, LeftOut) else done.record()

    def _step(self, batch: Sequence[Dialogue[Photos]]) -> None:
        picture = {"type": "image"}
        prompts = [
            build_messages([picture] * len(each.opened), each.asked, each.replies, each.row.get("instruction"))
            for each in batch
        ]
        inputs = self.processor(prompts, images=[photo for each in batch for photo in each.opened])
        written = write(self.model, inputs.to(self.model.device), max_new_tokens=MAX_NEW_TOKENS)
        tokenizer = self.processor.tokenizer
        for dialogue, tokens, first in zip(batch, written.tokens, written.first, strict=True):
            dialogue.scores = letter_scores(first, tokenizer, dialogue.letters) if dialogue.letters else None
            dialogue.replies.append(self.processor.decode(tokens))


def _open(subjects: Iterable[list[Row]], folder: Path) -> Iterator[Dialogue[Photos] | LeftOut]:
    for rows in subjects:
        try:
            photos = open_photos(rows[0], folder)
        except UserError as error:
            yield LeftOut(rows[0]["image"], error, len(rows))
            continue
        for row in rows:
            yield Dialogue(row, photos, sum(photo.width * photo.height for photo in photos))
