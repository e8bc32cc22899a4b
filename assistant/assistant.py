"""The whole path on one screen: photo and references in, anomaly map, Inspection and words out."""

import contextlib
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from PIL import Image

from assistant import UserError
from assistant.area import Area
from assistant.conversation import Chat
from assistant.corrections import NO_CORRECTIONS, Corrections, Mark
from assistant.detectors.drawn_defects import another_view, draw_defect
from assistant.detectors.fused import MOST_JUDGED, SETTINGS, FusedDetector, FusionHead, View
from assistant.detectors.marks import MarkedPatches, Marks, marked_patches
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.images import Frame, ImageSource, load_image, mismatch
from assistant.inspection import Inspection
from assistant.product import Product

if TYPE_CHECKING:
    from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
    from assistant.lvlm.batching import Written

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"
ENCODER = "encoder"  # subfolder of a checkpoint whose detector does not look through the LVLM's own vision tower
REMEMBERED = 32  # photos whose features are kept: about 1 MB each with the encoder of `tiny`
MOST_TURNED = 4  # references that are remembered by quarter turns too: more show for themselves how parts lie
VIEWS = 12  # of a set of references, with a defect drawn on each, once
REMEMBERED_MARKS = 256  # marks whose patches are kept: 1.5 MB each, so that another correction takes effect at once
MAX_NEW_TOKENS = 160
NO_LANGUAGE = ("this assistant was opened without its language model", "open it with language=True")
T = TypeVar("T")


class Assistant:
    """Inspects photos and talks about them.

    Args:
        encoder: photo -> patch features.
        head: patch features (and a memory bank) -> anomaly map, kinds, probability.
        language: language model and its processor; None for inspecting only.
        name: what the user called the model.
        product: the one product that the model was tuned to, whose photos then need no references.
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        head: FusionHead,
        language: "tuple[AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor] | None" = None,
        name: str = "tiny",
        product: Product | None = None,
    ) -> None:
        self.encoder, self.head, self.language, self.name = encoder, head, language, name
        self.product = product
        self._features: OrderedDict[Hashable, PatchFeatures] = OrderedDict()
        self._detectors: OrderedDict[Hashable, FusedDetector] = OrderedDict()
        self._marks: OrderedDict[Hashable, MarkedPatches] = OrderedDict()
        self._speaking = threading.Lock()

    @classmethod
    def from_pretrained(cls, model: str = "tiny", language: bool = True) -> "Assistant":
        """Open `tiny` (embedded), a checkpoint folder, or a hub id of any image-text-to-text model.

        A model that brings no detector of ours is given `tiny`'s: its words then rest on that map.

        Raises:
            UserError: nothing there, or damaged.
        """
        source = locate(model)
        detector = source if (Path(source) / SETTINGS).is_file() else str(CHECKPOINTS / "tiny")
        own = Path(detector) / ENCODER
        encoder = ImageEncoder.from_pretrained(own if own.is_dir() else detector)
        spoken = _load_language(source) if language else None
        return cls(encoder, FusionHead.load(detector), spoken, model, Product.load(source))

    def inspect(
        self,
        image: ImageSource,
        references: Sequence[ImageSource] = (),
        area: Area | None = None,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> Inspection:
        """One photo, compared with 0 to a few normal photos of the same product, or with those the model knows.

        Args:
            area: what of the photo is judged: score, verdict and regions are then of this part alone; None for all.
            corrections: marks that users have judged on photos of the product.

        Raises:
            UserError: a picture cannot be read, or the area is of a photo of another size.
        """
        start = time.perf_counter()
        photo = load_image(image)
        _check_area(area, photo)
        normals = [load_image(reference) for reference in references]
        features = self.encode(photo)  # L x (1, C_l, h_l, w_l)
        detector = self.detector(normals, corrections)
        # scores (h, w), kinds (K, h, w)
        detection = detector.detect(features, None if area is None else area.mask)
        anomaly_map = Frame(photo, self.encoder.image_size).to_original(detection.scores)  # (H, W) in [0, 1]
        return Inspection.from_map(
            anomaly_map,
            probability=detector.calibration.probability(detection.statistics),
            calibration=detector.calibration,
            photo=photo,
            kind_map=detection.kinds,
            area=area,
            image=_name_of(image),
            references=0 if detector.bank is None else detector.bank.photos,
            model=self.name,
            seconds=time.perf_counter() - start,
            notes=(*_remarks(photo, normals, detection.foreign), *detection.remarks),
        )

    def start_chat(
        self, image: ImageSource, references: Sequence[ImageSource] = (), corrections: Corrections = NO_CORRECTIONS
    ) -> Chat:
        """Inspect the photo and open a conversation about it."""
        photo = load_image(image)
        normals = [load_image(reference) for reference in references]
        inspection = replace(self.inspect(photo, normals, corrections=corrections), image=_name_of(image))
        return Chat(self, photo, inspection, normals, corrections)

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """One answer at a time: the language model holds the state of the prompt it is working on."""
        with self._speaking:
            yield

    def say(
        self,
        messages: list[dict[str, Any]],
        photo: np.ndarray,
        anomaly_map: np.ndarray,
        stop: threading.Event,
        varied: bool = False,
    ) -> Generator[str]:
        """The language model's own words, piece by piece, before they are grounded; the likeliest, or `varied` ones.

        `messages` follow the convention of transformers; the first holds an image and an anomaly item.
        """
        if self.language is None:
            raise UserError(*NO_LANGUAGE)
        from assistant.lvlm.streaming import stream

        model, processor = self.language
        inputs = processor([messages], images=[Image.fromarray(photo)], anomaly_maps=[anomaly_map]).to(model.device)
        yield from stream(model, processor, inputs, max_new_tokens=MAX_NEW_TOKENS, stop=stop, varied=varied)

    def say_together(self, prompts: Sequence[tuple[list[dict[str, Any]], np.ndarray, np.ndarray]]) -> "Written":
        """As `say` for several prompts (messages, photo, anomaly map) at once, each to its end."""
        if self.language is None:
            raise UserError(*NO_LANGUAGE)
        from assistant.lvlm.batching import write

        model, processor = self.language
        pool = model.prompt_learner.pool  # each map by itself, as photos differ in size
        inputs = processor(
            [messages for messages, _, _ in prompts],
            images=[Image.fromarray(photo) for _, photo, _ in prompts],
            anomaly_maps=[pool(torch.from_numpy(anomaly_map)[None])[0] for _, _, anomaly_map in prompts],
        ).to(model.device)
        return write(model, inputs, max_new_tokens=MAX_NEW_TOKENS)

    @torch.inference_mode()
    def encode(self, photo: np.ndarray) -> PatchFeatures:
        """Features of a (H, W, 3) photo, computed once per photo."""

        def look() -> PatchFeatures:
            pixels = torch.tensor(Frame(photo, self.encoder.image_size).array).permute(2, 0, 1)[None]
            return self.encoder(pixels)

        return _remember(self._features, _digest(photo), look, REMEMBERED)

    def detector(self, references: Sequence[np.ndarray], corrections: Corrections = NO_CORRECTIONS) -> FusedDetector:
        """The detector with some normal photos in its memory bank and some marks, built once per set of both."""
        calibration = None
        if not references and self.product is not None:
            references, calibration = self.product.normals, self.product.calibration
        key = tuple(_digest(reference) for reference in references) + ((b"own",) if calibration else ())

        def build() -> FusedDetector:
            if not references:
                return FusedDetector(self.head)
            features = PatchFeatures.join([self.encode(r) for r in references])
            if calibration is not None:  # fitted on a memory that is large enough without
                return FusedDetector(self.head, features, calibration=calibration)
            mirrored = PatchFeatures.join([self.encode(reference[:, ::-1]) for reference in references])
            turned = self._turned(references) if len(references) <= MOST_TURNED else None
            return FusedDetector(self.head, features, mirrored, turned).settled(self._views(references))

        def correct() -> FusedDetector:
            accepted, defects = (
                [self._patches(m) for m in marks] for marks in (corrections.accepted, corrections.defects)
            )
            return plain.with_marks(Marks(accepted, defects, plain.references))

        plain = _remember(self._detectors, key, build, REMEMBERED)
        return _remember(self._detectors, (key, corrections.key), correct, REMEMBERED) if corrections else plain

    @torch.inference_mode()
    def _turned(self, references: Sequence[np.ndarray]) -> PatchFeatures:
        """The references, and what a mirror shows of them, by one, two and three quarter turns."""
        upright = np.stack([Frame(reference, self.encoder.image_size).array for reference in references])
        poses = (np.rot90(seen, turns, axes=(1, 2)) for seen in (upright, upright[:, :, ::-1]) for turns in (1, 2, 3))
        pixels = (torch.from_numpy(pose.transpose(0, 3, 1, 2).copy()) for pose in poses)
        return PatchFeatures.join([self.encoder(each) for each in pixels])

    @torch.inference_mode()
    def _views(self, references: Sequence[np.ndarray]) -> Iterator[View]:
        """Other views of the references with a defect drawn on each, and of one alone without, too; always the same."""
        rng = np.random.default_rng(0)
        for number in range(VIEWS):
            source = number % min(len(references), MOST_JUDGED)
            good = another_view(Frame(references[source], self.encoder.image_size).array, rng)
            pictures = [draw_defect(good, rng), *([good] if len(references) == 1 else [])]
            broken, *plain = (self.encoder(torch.tensor(picture).permute(2, 0, 1)[None]) for picture in pictures)
            yield View(source, broken, *plain)

    def _patches(self, mark: Mark) -> MarkedPatches:
        """The patches under a mark, cut out once."""

        def cut() -> MarkedPatches:
            photo, mask = mark.load()
            return marked_patches(self.encode(photo), mask, mark.kind)

        return _remember(self._marks, mark.key, cut, REMEMBERED_MARKS)


def locate(model: str) -> str:
    """`tiny` -> its folder; an existing folder as it is; a hub id -> its local copy if it brings a detector."""
    if (CHECKPOINTS / model / SETTINGS).is_file():
        return str(CHECKPOINTS / model)
    if model and Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():  # or `tiny` would answer under this folder's name
            raise UserError(f"the folder {model} holds no model", "name a checkpoint folder, with its config.json")
        return model
    from huggingface_hub import snapshot_download
    from transformers.utils.hub import cached_file

    try:
        cached_file(model, "config.json")
        if cached_file(model, SETTINGS, _raise_exceptions_for_missing_entries=False) is not None:
            return snapshot_download(model)
    except (OSError, ValueError) as error:
        raise UserError(
            f"no model {model!r}", "use tiny, the path of a checkpoint folder, or a hub id that can be downloaded"
        ) from error
    return model


def _load_language(source: str) -> "tuple[AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor]":
    from assistant.lvlm.checkpoint import load
    from assistant.lvlm.vision_cache import remember_vision

    try:
        on_gpu: dict[str, Any] = {"dtype": torch.bfloat16, "device_map": "auto"}
        model, processor = load(source, **(on_gpu if torch.cuda.is_available() else {"dtype": torch.float32}))
    except UserError:
        raise
    except Exception as error:  # safetensors, JSON, tokenizer and shape errors have no common type
        raise UserError(f"the language model in {source} is missing or damaged", "copy the checkpoint again") from error
    remember_vision(model.lvlm)
    return model, processor


def _digest(photo: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(photo).data, digest_size=16, key=repr(photo.shape).encode()).digest()


def _remember(memory: OrderedDict[Any, T], key: Hashable, make: Callable[[], T], most: int) -> T:
    """What `make` gives, made once per key while it is among the `most` latest; any thread may ask."""
    found = memory.get(key)
    if found is None:
        found = memory[key] = make()
        if len(memory) > most:
            memory.popitem(last=False)
    return found


def _name_of(image: ImageSource) -> str:
    return str(image) if isinstance(image, str | Path) else "photo"


def _check_area(area: Area | None, photo: np.ndarray) -> None:
    height, width = photo.shape[:2]
    if area is not None and area.size != (width, height):
        sizes = f"{area.size[0]} x {area.size[1]} pixels, the photo of {width} x {height}"
        raise UserError(f"the area is of a photo of {sizes}", "choose it on this photo")


def _remarks(photo: np.ndarray, normals: Sequence[np.ndarray], foreign: bool) -> list[str]:
    """What the user should know about the references, each remark once."""
    remarks = [remark for normal in normals if (remark := mismatch(photo, normal)) is not None]
    if foreign:
        remarks.append("the photo hardly resembles the reference; is it the same product?")
    return list(dict.fromkeys(remarks))
