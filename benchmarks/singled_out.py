"""Questions about one of several defects, or about a place: is what was asked for told, and nothing else?

    python benchmarks/singled_out.py ROOT [--phrasings benchmarks/questions/more_singled_out.yaml] [--model tiny]
                                     [--photos 40] [--shots 4] [--seed 0] [--bare]

Of test photos on which the assistant itself finds two defects or more, each is asked one question of every kind in a
conversation of its own; the wordings are of people who had not seen what the model was taught. Answers are held against
the Inspection, not the labels. `--bare` takes the language model's words without the check of its sentences.
"""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

from dev_questions import load_phrasings, several_found, several_parser, shuffled_forever

from assistant import Assistant, Chat
from assistant.agreement import holds, size_fits
from assistant.claims import claims
from assistant.evaluation.categories import find_categories
from assistant.inspection import POSITIONS, Inspection, Region
from assistant.spoken import COUNTS

WORDINGS = Path(__file__).resolve().parent / "questions" / "singled_out.yaml"
AT_PLACE = ("place", "size_at_place", "count_at_place")


def meant(kind: str, place: str, inspection: Inspection) -> tuple[Region, ...]:
    """The regions that a question is about."""
    if kind in AT_PLACE:
        return inspection.regions_in(place)
    if kind == "uppermost":
        return (min(inspection.regions, key=lambda region: region.box[1] + region.box[3]),)
    if kind == "rightmost":
        return (max(inspection.regions, key=lambda region: region.box[0] + region.box[2]),)
    if kind == "total_area":
        return inspection.regions
    if "smallest" in kind:
        return (min(inspection.regions, key=lambda region: region.area_fraction),)
    return inspection.regions[1:2] if "second" in kind else inspection.regions[1:]


def fits(kind: str, answer: str, place: str, inspection: Inspection) -> bool:
    """Does the answer tell what was asked of the regions that are meant, and name no place where none of them is?"""
    regions, stated = meant(kind, place, inspection), claims(answer)
    spots = [claim for claim in stated if claim.kind == "position"]
    if not regions:
        return any(claim.negated and claim.value == place for claim in spots)
    if any(claim.negated or not any(claim.value in region.cells for region in regions) for claim in spots):
        return False
    about = replace(inspection, regions=regions)
    asked = {"size_of_smallest": "size", "severity_of_second": "severity", "size_at_place": "size"}.get(
        kind, "position"
    )
    if kind == "count_at_place":
        return COUNTS[len(regions)] in answer.lower().replace(" a ", " one ")
    if kind == "total_area":
        total = sum(region.area_fraction for region in regions)
        sizes = [claim for claim in stated if claim.kind == "size"]
        return len(sizes) == 1 and size_fits(sizes[0], total)
    told = [claim for claim in stated if claim.kind == asked and not claim.negated]
    return bool(told) and all(holds(claim, about) for claim in told)


def said(chat: Chat, question: str, bare: bool) -> str:
    if bare:
        return "".join(chat.assistant.say(*chat.prompt(question)))
    answer = chat.ask(question)
    chat.take_back(-1)
    return answer


def main() -> None:
    parser = several_parser(__doc__)
    parser.add_argument("--phrasings", type=Path, default=WORDINGS, metavar="FILE")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    phrasings = load_phrasings(options.phrasings)
    wordings = {kind: shuffled_forever(lines, rng) for kind, lines in phrasings.items()}
    assistant, right, photos = Assistant.from_pretrained(options.model), Counter[str](), 0
    categories = find_categories(options.root, shots=options.shots, seed=options.seed)
    for chat in several_found(assistant, categories, options.photos, rng):
        seen, photos = chat.inspection, photos + 1
        for kind in phrasings:
            taken = sorted({cell for region in seen.regions for cell in region.cells})
            place = rng.choice(taken if rng.random() < 0.6 else POSITIONS)
            question = next(wordings[kind]).replace("{place}", place)
            answer = said(chat, question, options.bare)
            found = fits(kind, answer, place, seen)
            right[kind] += found
            print(f"{'  ' if found else '! '}{kind}: {question} -> {answer}")
    print("\n| question | told | of |\n| --- | --- | --- |")
    for kind in phrasings:
        print(f"| {kind.replace('_', ' ')} | {right[kind] / photos:.3f} | {photos} |")
    print(f"| **all** | {right.total() / photos / len(phrasings):.3f} | {photos * len(phrasings)} |")


if __name__ == "__main__":
    main()
