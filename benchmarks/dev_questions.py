"""Questions about labelled photos, worded as people ask them: JSONL for `evaluate qa`.

    python benchmarks/dev_questions.py ROOT --out questions.jsonl [--photos 60] [--seed 0] [--phrasings FILE.yaml]

ROOT is in MVTec-AD layout. A photo is asked about seven times: is there a defect (scored against its label),
where (against the cells of its mask), how many, how large and what it looks like (against the assistant's
own Inspection: `answer` is null), something unrelated (to be declined), and a leading question.
"""

import argparse
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from assistant import Assistant, Chat
from assistant.evaluation.categories import Category, find_categories
from assistant.images import load_image
from assistant.inspection import cells_of
from assistant.layouts import Photo

PHRASINGS = Path(__file__).resolve().parent / "questions" / "phrasings.yaml"
TYPES = ("presence", "location", "count", "size", "description", "unanswerable", "leading")


def several_parser(about: str | None) -> argparse.ArgumentParser:
    """The options of a benchmark that asks about photos on which several defects are found."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def load_phrasings(path: Path = PHRASINGS) -> dict[str, list[str]]:
    """Question type -> ways to ask it."""
    phrasings: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return phrasings


def draw_photos(categories: Sequence[Category], count: int, rng: random.Random) -> list[tuple[Category, Photo]]:
    """`count` test photos in turn from every category, good and defective, as far as there are any."""
    piles = []
    for category in categories:
        for good in (True, False):
            pile = [(category, photo) for photo in category.tests if photo.defective != good]
            rng.shuffle(pile)
            piles.append(pile)
    rng.shuffle(piles)  # the photos that do not go round evenly fall to no category in particular
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*piles))
    return list(itertools.islice((drawn for drawn in rounds if drawn is not None), count))


def shuffled_forever(phrasings: Sequence[str], rng: random.Random) -> Iterator[str]:
    """Every phrasing once, in random order, before any comes again."""
    while True:
        yield from rng.sample(phrasings, len(phrasings))


def several_found(
    assistant: Assistant, categories: Sequence[Category], count: int, rng: random.Random
) -> Iterator[Chat]:
    """`count` test photos on which the assistant finds two defects or more, and a conversation about each."""
    drawn = draw_photos(categories, 1000, rng)
    chats = (assistant.start_chat(photo.path, references=category.references) for category, photo in drawn)
    for chat in itertools.islice((chat for chat in chats if len(chat.inspection.regions) > 1), count):
        regions = ", ".join(f"{region.position} {region.area_fraction:.1%}" for region in chat.inspection.regions)
        print(f"\n{Path(chat.inspection.image).name}: {regions}")
        yield chat


def truth(photo: Photo) -> dict[str, Any]:
    """Question type -> expected answer of a test photo; None where the Inspection itself is the measure."""
    label = "defective" if photo.defective else "good"
    cells = list(cells_of(photo.mask(load_image(photo.path).shape[:2]))) if photo.mask else None
    return dict.fromkeys(TYPES) | {"presence": label, "leading": label, "location": cells}


def build(root: Path, count: int, seed: int, shots: int, wording: Path = PHRASINGS) -> list[dict[str, Any]]:
    """The rows of `count` photos with `shots` references each; neither photos nor wordings depend on `shots`."""
    rng = random.Random(seed)
    categories = find_categories(root, shots=shots, seed=seed)
    phrasings = load_phrasings(wording)
    wordings = {kind: shuffled_forever(phrasings[kind], rng) for kind in TYPES}
    rows = []
    for category, photo in draw_photos(categories, count, rng):
        answers = truth(photo)
        for kind in TYPES:
            rows.append({
                "image": photo.path.relative_to(root).as_posix(),
                "references": [path.relative_to(root).as_posix() for path in category.references],
                "question": next(wordings[kind]), "answer": answers[kind], "type": kind,
                "choices": None, "turns": None, "label": answers["presence"],
            })  # fmt: skip
    return rows


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shots", type=int, default=1)
    parser.add_argument("--phrasings", type=Path, default=PHRASINGS)
    options = parser.parse_args()
    rows = build(options.root, options.photos, options.seed, options.shots, options.phrasings)
    write_rows(options.out, rows)
    print(f"{len(rows)} questions in {options.out}")


if __name__ == "__main__":
    main()
