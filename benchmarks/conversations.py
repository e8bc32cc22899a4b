"""Conversations of three turns about labelled photos, printed and checked at every turn.

    python benchmarks/conversations.py ROOT [--model tiny] [--photos 12] [--seed 0]

"Where?", "and is that large?", "anything else?": each answer must hold against the Inspection and speak of
what was asked, though the second and third question only make sense after the first.
"""

import argparse
import random
from pathlib import Path

from dev_questions import draw_photos, load_phrasings, shuffled_forever

from assistant import Assistant
from assistant.claims import claims
from assistant.evaluation.categories import find_categories
from assistant.evaluation.stated import stated_verdict
from assistant.grounding import contradictions
from assistant.inspection import Inspection

# Turn -> kinds of claims one of which a fitting answer makes; the last may also deny that there is more.
TURNS = {
    "location": {"position"},
    "follow_up_size": {"size", "severity"},
    "follow_up_rest": {"presence", "count", "position"},
}


def fits(turn: str, answer: str, question: str, inspection: Inspection) -> bool:
    """Does the answer speak of what was asked?"""
    if inspection.verdict == "good":
        return stated_verdict(answer, question) == "good"
    denies = turn == "follow_up_rest" and any(
        word in answer.lower() for word in ("nothing else", "no other", "that is all")
    )
    return denies or any(claim.kind in TURNS[turn] for claim in claims(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    categories = find_categories(options.root, shots=1, seed=options.seed)
    phrasings = load_phrasings()
    wordings = {turn: shuffled_forever(phrasings[turn], rng) for turn in TURNS}
    assistant = Assistant.from_pretrained(options.model)
    wrong, missed, total = 0, dict.fromkeys(TURNS, 0), 0
    for category, photo in draw_photos(categories, options.photos, rng):
        chat = assistant.start_chat(photo.path, references=category.references)
        seen = chat.inspection
        places = ", ".join(f"{region.position} {region.area_fraction:.1%}" for region in seen.regions)
        print(f"\n{photo.path.relative_to(options.root)}: {seen.verdict} {seen.probability:.2f} [{places}]")
        for turn in TURNS:
            question = next(wordings[turn])
            answer = chat.ask(question)
            false = contradictions(answer, seen, question)
            fitting = fits(turn, answer, question, seen)
            wrong, missed[turn], total = wrong + bool(false), missed[turn] + (not fitting), total + 1
            marks = "".join([" <- CONTRADICTS" if false else "", "" if fitting else " <- beside the question"])
            print(f"  Q: {question}\n  A: {answer}{marks}")
    beside = ", ".join(f"{turn} {number}" for turn, number in missed.items())
    print(f"\n{total} answers: {wrong} contradict the Inspection; beside the question: {beside}")


if __name__ == "__main__":
    main()
