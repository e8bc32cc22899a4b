"""Stage 3: projector, prompt learner and language model (or its LoRA) on dialogues about inspected scenes."""

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from torch import nn

from assistant.assistant import CHECKPOINTS, ENCODER, Assistant
from assistant.detectors.fused import FusionHead
from assistant.encoder import ImageEncoder
from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
from assistant.lvlm.backbones import backbone_of
from assistant.lvlm.vision_cache import cache_vision
from training.by_length import ByLength
from training.config import AssistantConfig
from training.decoder_stage import HARDEST, DecoderTraining, calibrate_head
from training.dialogues import Collator, Dialogues, Example, inspect_scenes
from training.general import GeneralRows, Mixture
from training.joint import JointModel, join, part
from training.saving import finished
from training.scenes import Scenes
from training.tiny import build_tiny_model, build_tiny_processor
from training.tokenizer import train_tokenizer
from training.trainer import fit
from training.training_photos import record_training_photos
from training.tuning import Trained, adapt, compile_layers, gather, open_base

FEW_SCENES = 64
REFERENCES = 4  # at most so many beside a photo


def train_assistant(config: AssistantConfig) -> None:
    """Train and write the whole checkpoint folder to `config.output`: language model, detector, processor."""
    encoder, head = ImageEncoder.from_pretrained(_folder(config.encoder)), FusionHead.load(_folder(config.detector))
    general = _general(config)  # before all that takes long, since a file may be wrong
    model, processor = start(config, encoder, head)
    scenes = Scenes(config.photos, config.products, encoder.image_size, REFERENCES, config.seed + 1)
    rows = config.max_steps * config.batch_size * config.accumulation
    wanted = min(config.scenes, max(FEW_SCENES, rows))  # a few steps need no more
    examples = inspect_scenes(Assistant(encoder, head), scenes, wanted, keep=config.decoder_loss > 0)
    tune(config, model, processor, encoder, head, examples, general)


def tune(
    config: AssistantConfig,
    model: Trained,
    processor: AnomalyLvlmProcessor,
    encoder: ImageEncoder,
    head: FusionHead,
    examples: Sequence[Example],
    general: GeneralRows | None = None,
) -> None:
    """Train what `start` opened on dialogues about `examples`, and write the whole checkpoint folder."""
    joint = config.decoder_loss > 0
    dialogues = Dialogues(examples, (3, 8), config.seed)
    rows = dialogues if general is None else Mixture(dialogues, general, config.general_share)
    if not (parse_flag_from_env("ACCELERATE_USE_FSDP") or parse_flag_from_env("ACCELERATE_USE_DEEPSPEED")):
        cache_vision(_tower(model))  # split over processes, a tower must run on all of them at once
        if joint:  # the detector's own tower, of which the model holds a copy at most
            cache_vision(encoder.backbone)
    if config.compile:
        compile_layers(model)
    lanes = config.workers * PartialState().num_processes
    by_length = ByLength(rows, config.batch_size, config.seed, lanes)
    trainer = fit(config, model, by_length, Collator(processor), config.gradient_checkpointing)
    whole = gather(trainer, config, lambda config: start(config, encoder, head)[0])
    if isinstance(whole, JointModel):
        whole, decoder = part(whole)
        head = decoder.head
        clear = Scenes(config.photos, config.products, encoder.image_size, REFERENCES, config.seed, HARDEST)
        calibrate_head(decoder, clear, config.calibration_scenes)
    if whole is not None:
        with finished(config.output) as folder:
            _finish(whole, processor, encoder, head, folder)
    record_training_photos(config)
    trainer.accelerator.wait_for_everyone()


def _folder(name: str) -> Path:
    """`tiny` -> its embedded checkpoint; else a folder."""
    return CHECKPOINTS / name if name == "tiny" else Path(name)


def _general(config: AssistantConfig) -> GeneralRows | None:
    if config.general is None:
        return None
    path = Path(config.general)
    return GeneralRows(path, Path(config.general_images or path.parent), config.seed)


def start(config: AssistantConfig, encoder: ImageEncoder, head: FusionHead) -> tuple[Trained, AnomalyLvlmProcessor]:
    """A given model (with adapters if wanted), or a new `tiny` around the encoder; with the head if that learns too."""
    torch.manual_seed(config.seed)
    if config.init is not None:
        model, processor = open_base(config)
        if config.tuning == "full" and _same_shape(_tower(model), encoder.backbone):
            _tower(model).load_state_dict(encoder.backbone.state_dict())  # one look serves the map and the words
    else:
        vision = encoder.backbone.config
        with PartialState().main_process_first():
            words = train_tokenizer(Path(config.output) / "tokenizer", config.vocabulary, config.seed)
        processor = build_tiny_processor(words, image_size=vision.image_size, num_image_tokens=vision.token_grid**2)
        model = build_tiny_model(vision, processor)
        _tower(model).load_state_dict(encoder.backbone.state_dict())
    _tower(model).requires_grad_(False)
    if config.decoder_loss > 0:
        model = join(model, DecoderTraining(encoder, head.requires_grad_(True)), config.decoder_loss)
    return adapt(model, config), processor


def _tower(model: Trained) -> nn.Module:
    tower: nn.Module = model.lvlm.get_submodule(backbone_of(model.lvlm.config.model_type).vision_tower)
    return tower


def _finish(
    model: AnomalyLvlmForConditionalGeneration,
    processor: AnomalyLvlmProcessor,
    encoder: ImageEncoder,
    head: FusionHead,
    output: Path,
) -> None:
    """Write everything, in half precision, so that the folder opens alone."""
    kept = torch.bfloat16 if model.lvlm.dtype == torch.bfloat16 else torch.float16
    model.to(kept).save_pretrained(output)
    processor.save_pretrained(output)
    head.save(output)
    if not _same_weights(_tower(model), encoder.backbone):  # the map is not seen with the model's own eyes
        encoder.save(output / ENCODER)


def _same_shape(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(mine[k].shape == v.shape for k, v in theirs.items())


def _same_weights(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.cpu().half().state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], v.to(mine[k].dtype)) for k, v in theirs.items())
