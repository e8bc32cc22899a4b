"""The settings of every training stage, checked when they are made."""

from dataclasses import dataclass

from assistant import UserError

TUNINGS = ("full", "prompt", "lora", "dora", "rslora", "qlora")
MAP_LOSSES = ("focal-dice", "anomalygpt")  # of `training.losses`, which needs torch


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """What every stage needs.

    Training ends at `max_steps` or after `max_minutes`, whichever is first; the learning rate falls to
    zero towards that end. `photos` are folders searched for pictures; `init` is a checkpoint to start
    from. With `resume` the newest checkpoint under `output` is continued. One step sees `batch_size` rows
    on each process, `accumulation` times.
    """

    stage: str
    output: str
    photos: tuple[str, ...] = ()
    init: str | None = None
    seed: int = 0
    max_steps: int = 10_000
    max_minutes: float = 60.0
    batch_size: int = 16
    accumulation: int = 1
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    save_steps: int = 200
    workers: int = 1
    resume: bool = True


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(StageConfig):
    """Distillation of the compact encoder; `teacher` is any transformers vision model (folder or hub id).

    `teacher_levels` are indices into its hidden states, one per level of the student, or none to have them chosen;
    `procedural_share` in [0, 1] of the pictures are rendered instead of read from `photos`.
    """

    stage: str = "encoder"
    teacher: str
    teacher_levels: tuple[int, ...] = ()
    procedural_share: float = 0.3


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(StageConfig):
    """Image decoder on synthetic anomalies; `encoder` is any vision model (checkpoint folder or hub id).

    `products` are folders that each hold good photos of one product; `data` are folders of labelled photos in any
    layout of `assistant.layouts`, whose defective ones are trained on too, with their masks where they have any;
    `loss` is one of `MAP_LOSSES`; with `tune_encoder` the encoder learns on and is saved beside the detector, in
    `encoder`; `calibration_scenes` scenes, never trained on, fit the calibration at the end.
    """

    stage: str = "decoder"
    encoder: str
    products: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    loss: str = "focal-dice"
    tune_encoder: bool = False
    max_references: int = 4
    calibration_scenes: int = 600

    def __post_init__(self) -> None:
        if self.loss not in MAP_LOSSES:
            raise UserError(f"unknown loss {self.loss!r}", f"set loss to one of {', '.join(MAP_LOSSES)}")


@dataclass(frozen=True, kw_only=True)
class AssistantConfig(StageConfig):
    """Projector, prompt learner and language model on dialogues about synthetic anomalies.

    `encoder` and `detector` are the checkpoint folders of the stages before, or `tiny`, the embedded one;
    `scenes` is how many photos are inspected once and then talked about again and again; `vocabulary` is
    the size of a new tokenizer. Unless `tuning` is "full", only adapters of `rank` and the prompt learner of
    `init` are trained; with "prompt" the prompt learner alone; "qlora" keeps the frozen rest in 4 bits. With `compile`
    the layers of the language decoder are compiled: slow first steps, then faster ones on a GPU.

    With a `decoder_loss` above 0 the detector's head learns on: its map goes into the prompt with its gradient, and the
    second stage's loss counts that much beside the answers'; `calibration_scenes` then fit the calibration anew.

    `general` is a LLaVA-JSON of general visual instructions, mixed in at `general_share` of the rows, so that
    a large model keeps what it could before; its pictures lie under `general_images`, or beside the file.
    """

    stage: str = "assistant"
    encoder: str
    detector: str
    products: tuple[str, ...] = ()
    scenes: int = 1500
    vocabulary: int = 3072
    tuning: str = "full"
    rank: int = 16
    gradient_checkpointing: bool = False
    compile: bool = False
    decoder_loss: float = 0.0
    calibration_scenes: int = 600
    general: str | None = None
    general_images: str | None = None
    general_share: float = 0.5

    def __post_init__(self) -> None:
        if self.tuning not in TUNINGS:
            raise UserError(f"unknown tuning {self.tuning!r}", f"set tuning to one of {', '.join(TUNINGS)}")
        if self.tuning != "full" and self.init is None:
            raise UserError(f"tuning={self.tuning} needs a model to adapt", "add init=HUB_ID or init=FOLDER")
        if self.rank < 1:
            raise UserError(f"rank={self.rank} leaves nothing to train", "give a rank of 1 or more, 16 for example")
        if self.decoder_loss < 0:
            raise UserError(
                f"decoder_loss={self.decoder_loss} is no weight", "give 0 to leave it out, or 1 for example"
            )
        if not 0 < self.general_share < 1:
            raise UserError(f"general_share={self.general_share} is no share", "give a number between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class ReaderConfig(StageConfig):
    """The reader of questions, from `questions` that the templates of `data_gen` make; see `training.reader_stage`."""

    stage: str = "reader"
    questions: int = 700_000


@dataclass(frozen=True)
class RecipeConfig:
    """Stages that are trained one after the other, each with its own settings.

    `presets` are the names the stages were read from. See `load_recipe` for what they share.
    """

    presets: tuple[str, ...]
    stages: tuple[StageConfig, ...]
    stage: str = "recipe"

    @property
    def output(self) -> str:
        """Where the last stage, and so the whole, comes to lie."""
        return self.stages[-1].output


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """One's own photos: `root` is a folder in any layout of `assistant.layouts`, which is recognised unless `layout`
    names it; `product` says which one is meant where there are several."""

    root: str
    layout: str | None = None
    product: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomConfig(StageConfig):
    """Fine-tuning of `init` on one's own photos of a product; see `training.custom`.

    `max_minutes` is about what all of it takes: it bounds the language model's share of it strictly, while detector and
    report take what they need. `rank` is that of the language model's adapters. A model that `output` holds
    already is the one to beat, else `init` is.
    """

    stage: str = "custom"
    data: DataConfig
    init: str | None = "tiny"
    rank: int = 16


CONFIGS: dict[str, type[StageConfig]] = {
    "encoder": EncoderConfig, "decoder": DecoderConfig, "assistant": AssistantConfig, "custom": CustomConfig,
    "reader": ReaderConfig,
}  # fmt: skip
