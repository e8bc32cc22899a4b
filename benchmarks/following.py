"""A question about one of several defects, then one that goes on about it: is the answer still about that one?

    python benchmarks/following.py ROOT [--model tiny] [--photos 40] [--shots 4] [--seed 0]

Of test photos on which the assistant itself finds two defects or more: "What about the smallest one?", then "And how
big is it?" in words of somebody who had seen nothing of this. Answers are held against the Inspection, not the labels.
"""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

from dev_questions import load_phrasings, several_found, several_parser, shuffled_forever

from assistant import Assistant
from assistant.agreement import holds
from assistant.claims import claims
from assistant.evaluation.categories import find_categories
from assistant.focus import find_focus
from assistant.inspection import Inspection, Region

WORDINGS = Path(__file__).resolve().parent / "questions" / "following.yaml"
OPENERS = (
    "What about the smallest one?", "And the second one?", "Which one lies furthest to the right?",
    "Describe the topmost one.", "What about the {place}?",
)  # fmt: skip
ASKED = {"size": ("size",), "severity": ("severity",), "look": ("tone", "shape")}


def stays(answer: str, kind: str, regions: tuple[Region, ...], inspection: Inspection) -> bool:
    """Does the answer tell what was asked of these regions, all of it true of them, and name no place of others?"""
    stated = claims(answer)
    if any(not any(claim.value in region.cells for region in regions) for claim in stated if claim.kind == "position"):
        return False
    told = [claim for claim in stated if claim.kind in ASKED[kind]]
    return bool(told) and all(holds(claim, replace(inspection, regions=regions)) for claim in told)


def main() -> None:
    options = several_parser(__doc__).parse_args()
    rng = random.Random(options.seed)
    wordings = {kind: shuffled_forever(lines, rng) for kind, lines in load_phrasings(WORDINGS).items()}
    openers, assistant = shuffled_forever(list(OPENERS), rng), Assistant.from_pretrained(options.model)
    right, photos = Counter[str](), 0
    categories = find_categories(options.root, shots=options.shots, seed=options.seed)
    for chat in several_found(assistant, categories, options.photos, rng):
        seen, photos = chat.inspection, photos + 1
        for kind, questions in wordings.items():
            opener = next(openers).replace("{place}", seen.regions[-1].position)
            focus = find_focus(opener, seen)
            assert focus is not None, opener
            question = next(questions)
            chat.ask(opener)
            answer = chat.ask(question)
            chat.take_back(-2)
            found = stays(answer, kind, focus.regions, seen)
            right[kind] += found
            print(f"{'  ' if found else '! '}{opener} {question} -> {answer}")
    print("\n| asked on about it | told | of |\n| --- | --- | --- |")
    for kind in wordings:
        print(f"| {kind} | {right[kind] / photos:.3f} | {photos} |")
    print(f"| **all** | {right.total() / photos / len(wordings):.3f} | {photos * len(wordings)} |")


if __name__ == "__main__":
    main()
