"""One's own photos in, a model that knows the product out; and a report that says whether it is better than before."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from assistant import UserError
from assistant.assistant import Assistant
from assistant.evaluation.leaks import TrainingHashes
from assistant.evaluation.results import remark, write_file
from assistant.product import Product
from data_gen.variation import vary
from training.assistant_stage import start, tune
from training.before_after import DECISIVE, cross_validation, measure, write_before_after
from training.config import AssistantConfig, CustomConfig
from training.dialogues import Example
from training.held_out import write_held_out
from training.own_photos import OwnPhotos, read_own_photos
from training.product_fit import broken_photos, fit_product, mix_of, square
from training.recipe import PACE
from training.run_record import FILE as RECORD
from training.run_record import end_record, start_record

WORDS_SHARE = 0.35  # of the minutes for the language model; the rest goes into detector and report
OF, DONE = "of", "done"  # files that tell what `work` is of, and that it was finished
TIMED = 5  # comparisons whose time is taken
COMPARED = 4000  # comparisons that take as long as all but the words, as measured with `tiny`
LEAST_STEP = 0.03  # minutes of a step of tuning, at least
EXAMPLES = 120  # photos that the dialogues speak of, half of them good


def train_custom(config: CustomConfig) -> None:
    """Tune `config.init` to the photos below `config.data.root` and put the model into `config.output`/model.

    Beside it lie `report.html`, `before_after.json` and `run.json`: the new model and the one before it, measured on
    photos held out. A model that is worse does not take the place of the one before. Killed and started again with
    the same photos, it goes on.

    Raises:
        UserError: the photos cannot be used, or the new model is worse.
    """
    began, output = time.monotonic(), Path(config.output)
    model, work = output / "model", output / "work"
    photos = read_own_photos(config.data)
    _check_output(output, photos)
    _finish_swap(model)
    resumed = _prepare(work, config, photos)
    if resumed and (done := _done(work, config)):
        return _end(done["reasons"], output, work / "candidate")
    start_record(config, 1, resumed)
    before, init = (str(model) if model.is_dir() else config.init), config.init
    assert before is not None and init is not None, "the door lets no empty init through"
    assistant = Assistant.from_pretrained(init, language=False)
    notes = [*_plan(photos, config, _minutes(assistant, photos)), f"Compared with {before}."]
    held = write_held_out(photos, work / "held_out", np.random.default_rng((config.seed, 1)))
    product, judged = fit_product(assistant, photos, np.random.default_rng((config.seed, 2)))
    decisive = cross_validation(before, judged, mix_of(assistant), held)
    assistant.product = product
    notes.append(f"Memory of {len(product.normals)} good photos and calibration: after {_since(began)}.")
    examples = inspected(assistant, photos, np.random.default_rng((config.seed, 3)))
    words, parts = _words(config, init, work / "words"), (assistant.encoder, assistant.head)
    tune(words, *start(words, *parts), *parts, examples)
    notes.append(f"Prompt learner and language model: after {_since(began)}.")
    candidate = _assemble(work, product, photos)
    old, new = measure(before, held, work / "before"), measure(str(candidate), held, work / "after")
    figures = {DECISIVE: decisive[0]} | old, {DECISIVE: decisive[1]} | new
    reasons = write_before_after(figures, (before, str(candidate)), held, notes, output)
    tuned = json.loads((work / "words" / RECORD).read_text())
    end_record(config.output, tuned["steps"], (time.monotonic() - began) / 60, tuned["losses"])
    shutil.copytree(work / "words" / "logs", output / "logs", dirs_exist_ok=True)
    remark(f"this took {_since(began)}")
    if not reasons:
        _swap(candidate, model)
    write_file(work / DONE, json.dumps({"pace": _pace(config), "reasons": reasons}))
    _end(reasons, output, candidate)


def _end(reasons: Sequence[str], output: Path, candidate: Path) -> None:
    """Tell what came of it, now or when the same was finished before."""
    report = output / "report.html"
    if reasons:
        raise UserError(
            f"the model before stays, for {' and '.join(reasons)}",
            f"read {report}, add photos and train again; the new one lies in {candidate}",
        )
    remark(f"the model is in {output / 'model'}; report: {report}")


def _check_output(output: Path, photos: OwnPhotos) -> None:
    """Nothing that is not this product's may lie where it will be written.

    Raises:
        UserError: a file, folder or model of something else does.
    """
    work, elsewhere = output / "work", "choose another output"
    if output.exists() and not output.is_dir():
        raise UserError(f"{output} is a file", elsewhere)
    if work.is_dir() and any(work.iterdir()) and not (work / OF).is_file():
        raise UserError(f"{work} holds files that no training has put there", elsewhere)
    known = Product.load(output / "model")
    if known is not None and known.name != photos.name:
        raise UserError(f"{output} holds the model of another product, {known.name!r}", elsewhere)


def _done(work: Path, config: CustomConfig) -> dict[str, Any] | None:
    """What came of it where the same was finished before, for as many steps and minutes."""
    path = work / DONE
    done: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
    return done if done and done["pace"] == _pace(config) else None


def _pace(config: CustomConfig) -> list[float]:
    return [config.max_steps, config.max_minutes]


def _prepare(work: Path, config: CustomConfig, photos: OwnPhotos) -> bool:
    """Whether `work` holds unfinished work of the same settings and photos; any other is removed."""
    settings = {key: value for key, value in asdict(config).items() if key not in PACE}
    mark = hashlib.sha256(json.dumps(settings).encode())
    for shot in (*photos.good, *photos.bad, *photos.held_good, *photos.held_bad):
        mark.update(shot.image.tobytes())
    path = work / OF
    if config.resume and path.is_file() and path.read_text() == mark.hexdigest():
        return True
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_file(path, mark.hexdigest())
    return False


def _assemble(work: Path, product: Product, photos: OwnPhotos) -> Path:
    """The new model's folder, without what only training needs."""
    candidate = work / "candidate"
    shutil.rmtree(candidate, ignore_errors=True)
    shutil.copytree(work / "words", candidate, ignore=shutil.ignore_patterns("checkpoints", "logs"))
    product.save(candidate)
    seen = TrainingHashes.of([shot.path for shot in (*photos.good, *photos.bad)])
    before = TrainingHashes.load(candidate)
    (seen.merge(before) if before else seen).save(candidate)
    return candidate


def inspected(assistant: Assistant, photos: OwnPhotos, rng: np.random.Generator) -> list[Example]:
    """Good, broken and really defective photos with what the tuned detector sees on them."""
    count = EXAMPLES // 2
    good = [vary(photos.good[number % len(photos.good)].image, rng) for number in range(count)]
    broken = [vary(each.sample.image, rng) for each in broken_photos(photos.good, count, rng)]
    images = [*good, *broken, *(shot.image for shot in photos.bad)]
    squares = [square(image, assistant.encoder.image_size) for image in images]
    return [Example(photo, assistant.inspect(photo)) for photo in tqdm(squares, "inspecting", mininterval=10)]


def _words(config: CustomConfig, init: str, output: Path) -> AssistantConfig:
    """The third stage's settings for tuning adapters for a few minutes."""
    return AssistantConfig(
        output=str(output), init=init, encoder=init, detector=init, seed=config.seed,
        max_minutes=WORDS_SHARE * config.max_minutes, max_steps=config.max_steps, batch_size=config.batch_size,
        accumulation=config.accumulation, learning_rate=config.learning_rate, warmup_steps=config.warmup_steps,
        save_steps=config.save_steps, workers=config.workers, resume=config.resume, tuning="lora", rank=config.rank,
    )  # fmt: skip


def _minutes(assistant: Assistant, photos: OwnPhotos) -> float:
    """How long all but the words will take here, from how long it takes to compare a photo with another."""
    image, reference = photos.good[0].image, photos.good[-1].image
    assistant.inspect(image, [reference])  # warms up, and settles the line
    began = time.monotonic()
    for _ in range(TIMED):
        assistant.inspect(image, [reference])
    return (time.monotonic() - began) / TIMED * COMPARED / 60


def _plan(photos: OwnPhotos, config: CustomConfig, other_minutes: float) -> list[str]:
    """What was found and what will be done with it, told before it is done."""
    words = min(WORDS_SHARE * config.max_minutes, config.max_steps * LEAST_STEP)
    plan = [
        f"{config.data.root} was read as {photos.layout!r}, product {photos.name!r}.",
        f"{len(photos.good)} good and {len(photos.bad)} defective photos to learn from; "
        f"{len(photos.held_good)} good and {len(photos.held_bad)} defective ones held out.",
        f"This will take about {words + other_minutes:.1f} minutes, {words:.1f} of them for words.",
    ]
    if len(photos.good) < 16:
        plan.append("More good photos would help: with 20 the verdict is surer than with fewer.")
    if not photos.bad and not photos.held_bad:
        plan.append("No defective photo was given, so better or worse is judged on synthetic defects alone.")
    for line in plan:
        remark(line)
    return plan


def _swap(candidate: Path, model: Path) -> None:
    """Put a folder in another's place; a kill in between leaves the old one under a name `_finish_swap` knows."""
    old = model.with_name("model.old")
    if model.exists():
        os.replace(model, old)
    os.replace(candidate, model)
    shutil.rmtree(old, ignore_errors=True)


def _finish_swap(model: Path) -> None:
    old = model.with_name("model.old")
    if old.exists() and not model.exists():
        os.replace(old, model)
    shutil.rmtree(old, ignore_errors=True)


def _since(began: float) -> str:
    return f"{(time.monotonic() - began) / 60:.1f} minutes"
