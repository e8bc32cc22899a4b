"""Is the new model better than the old one? Both are measured on the held-out photos and shown side by side."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.evaluation.cases import Case, draw
from assistant.evaluation.detection import evaluate_detection
from assistant.evaluation.metrics import auroc, balanced_accuracy, mean
from assistant.evaluation.qa import evaluate_qa
from assistant.evaluation.report_page import Section, gallery, table, write_report
from assistant.evaluation.results import write_file
from assistant.images import load_image
from training.held_out import ENOUGH, HeldOut
from training.product_fit import Judged, cross_validated, square

SHOWN = 8  # photos on the page, half of them good
DECISIVE = "detection, cross-validated"
# By so much detection and right answers may fall: what chance does on some twenty good photos that are seen by neither
# model's memory, and on some thirty photos held out.
DETECTION_LEEWAY, LEEWAY = 0.05, 0.1
# What is reported of each model: its name for people, and its key in the metrics.
DETECTION = {
    "balanced accuracy": "balanced_accuracy", "I-AUROC": "image_auroc", "P-AUROC": "pixel_auroc", "PRO": "pro",
    "calibration error": "ece",
}  # fmt: skip
TYPES = {"is there a defect?": "presence", "where?": "location", "what kind?": "type", "leading questions": "leading"}

LESS_IS_BETTER = ("calibration error", "contradictions")
ASKED = "Is there a defect, and where?"

Figures = dict[str, float | None]


def cross_validation(
    before: str, judged: Sequence[Judged], mix: np.ndarray, held: HeldOut
) -> tuple[float | None, float | None]:
    """Mean of balanced accuracy and I-AUROC, before and after, on good and defective photos; None for too few.

    The few photos held out cannot tell a better model from a worse one; these are many, and the new model judges each
    without what came from the same photo. What the model before remembers, or is shown as a reference, is left out.
    """
    assistant, references = Assistant.from_pretrained(before, language=False), held.references(before)
    size = assistant.encoder.image_size
    normals = assistant.product.normals if assistant.product else [square(load_image(r), size) for r in references]
    remembered = {normal.tobytes() for normal in normals}
    known = {each.source for each in judged if square(each.image, size).tobytes() in remembered}
    chosen = [n for n, each in enumerate(judged) if each.role != "drawn" and each.source not in known]
    labels = [int(judged[number].defective) for number in chosen]
    if labels.count(0) < ENOUGH:
        return None, None
    after = cross_validated(judged, mix)[chosen]
    images = [judged[number].image for number in chosen]
    old = [assistant.inspect(image, references).probability for image in tqdm(images, "the model before")]
    return _detection(labels, old), _detection(labels, after.tolist())


def _detection(labels: list[int], chances: list[float]) -> float | None:
    return mean([balanced_accuracy(labels, [int(chance > 0.5) for chance in chances]), auroc(labels, chances)])


def measure(model: str, held: HeldOut, out: Path) -> Figures:
    """What a model gets on the held-out photos, by name; None where nothing could be measured."""
    found = evaluate_detection(held.folder, held.shots(model), 0, model, out / "detection")
    answers = evaluate_qa(held.questions(model), held.folder, model, out / "questions")
    figures = {name: found["mean"][key] for name, key in DETECTION.items()}
    figures |= {f"right answers, {name}": answers["by_type"].get(kind) for name, kind in TYPES.items()}
    return figures | {"right answers": answers["overall"], "contradictions": answers["contradiction_rate"]}


def worse(before: Figures, after: Figures) -> list[str]:
    """Why the new model may not take the old one's place; empty where it may.

    Detection, where it can be told best, and right answers may not fall by more than chance does, and no answer may
    contradict the map.
    """
    reasons = []
    detection = "balanced accuracy" if before[DECISIVE] is None else DECISIVE
    for name, leeway in ((detection, DETECTION_LEEWAY), ("right answers", LEEWAY)):
        old, new = before[name] or 0.0, after[name] or 0.0
        if new < old - leeway:
            reasons.append(f"{name}, fell from {old:.3f} to {new:.3f}")
    if after["contradictions"]:
        reasons.append(f"{after['contradictions']:.1%} of its answers contradict the map")
    return reasons


def write_before_after(
    figures: tuple[Figures, Figures], models: tuple[str, str], held: HeldOut, notes: Sequence[str], out: Path
) -> list[str]:
    """`report.html` for people and `before_after.json` for programs; gives what speaks against the new model."""
    before, after = figures
    reasons = worse(before, after)
    outcome = "The new model takes the old one's place"
    if reasons:
        outcome = f"The old model stays: {' and '.join(reasons)}"
    decides = "balanced accuracy" if before[DECISIVE] is None else DECISIVE
    headline = f"{outcome}. {decides.capitalize()}: {before[decides] or 0:.3f} before, {after[decides] or 0:.3f} after."
    about = (
        f"What decides is {decides}, and that right answers do not fall by more than {LEEWAY}. Cross-validated is the "
        "mean of balanced accuracy and I-AUROC on the photos learnt from, each judged without itself. All others are "
        f"on the {held.good} good and {held.bad} defective photos held out, too few to decide; {held.made} of them are "
        "photos varied, or broken, by program. I-AUROC: do defective photos score above good ones; P-AUROC and PRO: "
        "does the map show the defects; calibration error: how far the probabilities are off."
    )
    product = next(iter(sorted(held.folder.glob("*/test")))).parent.name
    rows = [[name, old, after[name], _change(name, old, after[name])] for name, old in before.items()]
    done = Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(note) for note in notes))
    sections = [
        Section("Figures", table(["", "before", "after", "change"], rows, words=1), about),
        Section(
            "Examples",
            gallery(_examples(models, held)),
            f"The photo, then what each model sees, before and after, and its answer to {ASKED!r}",
        ),
        Section("What was done", done),
    ]
    write_report(
        out / "report.html",
        title=f"Before and after: {product}",
        headline=headline,
        sections=sections,
        warnings=reasons,
    )
    summary = {"before": before, "after": after, "accepted": not reasons, "reasons": reasons, "notes": list(notes)}
    counts = {"good": held.good, "defective": held.bad, "made": held.made}
    write_file(out / "before_after.json", json.dumps(summary | {"held_out": counts}, indent=2) + "\n")
    return reasons


def _change(name: str, old: float | None, new: float | None) -> str | None:
    if old is None or new is None:
        return None
    change = round(new - old, 3)
    better = change < 0 if name in LESS_IS_BETTER else change > 0
    return f"{change:+.3f} {'better' if better else 'worse'}" if change else "the same"


def _examples(models: tuple[str, str], held: HeldOut) -> list[Case]:
    """The same photos through the eyes of both models."""
    tests = sorted(held.folder.glob("*/test/*/*.png"))
    sorts = [[p for p in tests if (p.parent.name == "good") is good] for good in (False, True)]
    chosen = [photo for sort in sorts for photo in sort[:: max(1, len(sort) // (SHOWN // 2))][: SHOWN // 2]]
    assistants = [(Assistant.from_pretrained(model), held.references(model)) for model in models]
    cases = []
    for path in chosen:
        photo, lines = load_image(path), [("truth", path.parent.name)]
        pictures: list[str] = []
        for name, (assistant, references) in zip(("before", "after"), assistants, strict=True):
            chat = assistant.start_chat(photo, references)
            plain, seen = draw(photo, chat.inspection)
            pictures = [*(pictures or [plain]), seen]
            chance = f"{chat.inspection.verdict}, probability of a defect {chat.inspection.probability:.2f}"
            lines += [(name, chance), ("", chat.ask(ASKED))]
        cases.append(Case("example", f"{path.parent.name}, {path.stem}", tuple(pictures), tuple(lines)))
    return cases
