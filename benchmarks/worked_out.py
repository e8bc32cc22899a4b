"""Questions that compare, pick or measure defects: does the answer hold what the Inspection says of those meant?

    python benchmarks/worked_out.py ROOT [--model tiny] [--photos 40] [--shots 4] [--seed 0]

Of test photos on which the assistant itself finds two defects or more, in words of somebody who had seen nothing of
this. Answers are held against the Inspection, not the labels.
"""

import math
import random
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

from dev_questions import load_phrasings, several_found, several_parser, shuffled_forever

from assistant import Assistant
from assistant.checking import contradictions
from assistant.evaluation.categories import find_categories
from assistant.focus import one_of
from assistant.inspection import Inspection, Region
from assistant.spoken import spoken_size
from assistant.wording import LISTED

WORDINGS = Path(__file__).resolve().parent / "questions" / "worked_out.yaml"
NAMES = {
    "largest": "the biggest one", "smallest": "the smallest one", "main": "the worst one",
    "second": "the second defect",
    "leftmost": "the leftmost one", "lowest": "the lowest one", "third": "the third one",
}  # fmt: skip
LIKE = {
    "severe": ("severity", "severe"), "minor": ("severity", "minor"), "moderate": ("severity", "moderate"),
    "dark": ("tone", "darker"), "bright": ("tone", "brighter"), "thin": ("shape", "thin"),
}  # fmt: skip
EVERY = re.compile(r"\b(?:all|both|each|every|same)\b", re.I)
NONE = re.compile(r"\b(?:none|no|not|nothing|neither)\b", re.I)


def tells_two(kind: str, answer: str, pair: tuple[Region, Region]) -> bool:
    """Are the sizes or severities of both there, or their distance?"""
    if kind == "two_distance":
        (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = (region.box for region in pair)
        apart = math.hypot(ax0 + ax1 - bx0 - bx1, ay0 + ay1 - by0 - by1) / 2
        return any(abs(int(number) - apart) <= 1 for number in re.findall(r"\d+(?= pixels)", answer))
    if kind == "two_severity":
        return all(re.search(rf"\b{region.severity}\b", answer) for region in pair)
    return all(spoken_size(region.area_fraction) in answer for region in pair)


def tells_all(answer: str, inspection: Inspection) -> bool:
    """Is one property told of all, or of the heaviest few where there are more?"""
    told = [
        all(word(region) in answer for region in inspection.regions[:LISTED])
        for word in (lambda r: r.severity, lambda r: spoken_size(r.area_fraction), lambda r: r.shape)
    ]
    kinds = {region.type for region in inspection.regions[:LISTED]}
    return any(told) or "cannot name the kind" in answer or (None not in kinds and all(str(k) in answer for k in kinds))


def tells_like(answer: str, sort: str, value: str, inspection: Inspection) -> bool:
    """Are those meant told by place, and none of the others; or that it is all, or none?"""
    meant = [region for region in inspection.regions if getattr(region, sort) == value]
    if not meant:
        return NONE.search(answer) is not None
    if len(meant) == len(inspection.regions) and EVERY.search(answer):
        return True
    places = {region.position for region in meant}
    beside = {region.position for region in inspection.regions} - places
    named = set(re.findall(r"\b(?:(?:upper|lower|center) (?:left|center|right)|center(?! left| right))\b", answer))
    return places <= named and not named & beside


def main() -> None:
    options = several_parser(__doc__).parse_args()
    rng = random.Random(options.seed)
    wordings = {kind: shuffled_forever(lines, rng) for kind, lines in load_phrasings(WORDINGS).items()}
    assistant = Assistant.from_pretrained(options.model)
    right, wrong, photos = Counter[str](), 0, 0
    categories = find_categories(options.root, shots=options.shots, seed=options.seed)
    for chat in several_found(assistant, categories, options.photos, rng):
        seen, photos = chat.inspection, photos + 1
        ones = {name: one_of(name, seen).regions for name in NAMES}
        pairs = [(a, b) for a, b in combinations(NAMES, 2) if ones[a] and ones[b] and ones[a] != ones[b]]
        for kind, questions in wordings.items():
            first, second = rng.choice(pairs)
            like = rng.choice(list(LIKE))
            question = next(questions)
            for slot, word in {"one": NAMES[first], "other": NAMES[second], "like": like}.items():
                question = question.replace(f"{{{slot}}}", word)
            answer = chat.ask(question)
            chat.take_back(-1)
            if kind.startswith("two"):
                found = tells_two(kind, answer, (ones[first][0], ones[second][0]))
            elif kind == "which_like":
                found = tells_like(answer, *LIKE[like], seen)
            else:
                found = tells_all(answer, seen) if kind == "all_alike" else re.search("pixel|edge", answer) is not None
            right[kind] += found
            wrong += bool(contradictions(answer, seen, question))
            print(f"{'  ' if found else '! '}{question} -> {answer}")
    print("\n| asked | told | of |\n| --- | --- | --- |")
    for kind in wordings:
        print(f"| {kind} | {right[kind] / photos:.3f} | {photos} |")
    asked = photos * len(wordings)
    print(f"| **all** | {right.total() / asked:.3f} | {asked} |\n\ncontradictions: {wrong}")


if __name__ == "__main__":
    main()
