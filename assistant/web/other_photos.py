"""Questions that name another photo of the conversation: "and the first photo?", "compare with the previous one"."""

import re
from collections.abc import Sequence

from assistant.web.session import Photo
from assistant.wording import tell

ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
THING = r"(?:photo|picture|image|one|part)"
NAMED = re.compile(
    rf"\b(?:photo|picture|image) (?:number |no\.? |#)?(\d{{1,2}})\b|\b({'|'.join(ORDER)}|last) {THING}\b"
)
BEFORE = re.compile(rf"\b(?:previous|other|earlier) {THING}s?\b|\b{THING} before\b")
FILLER = re.compile(r"\b(?:and|what|how|about|now|the|with|is|so|ok|okay|then|of|for|in|on|show|me|go|back|to)\b|\W")
COMPARE = re.compile(r"\b(?:compar\w*|differ\w*|versus|vs|better|worse|same|both)\b")


def named_photo(question: str, photos: Sequence[Photo], shown: Photo) -> Photo | None:
    """The other photo that a question names by its number or place in the row; None where it names none.

    "The previous one" is the one before the shown photo, or of the first the next. Regions are numbered too ("the
    first one"), so a bare "one" counts only beside words that compare.
    """
    low = question.lower()
    if len(photos) < 2:
        return None
    if match := NAMED.search(low):
        if match.group().endswith(" one") and not COMPARE.search(low):
            return None
        found = _at(match, photos)
    elif BEFORE.search(low):
        place = photos.index(shown)
        found = photos[place - 1] if place else photos[1]
    else:
        return None
    return None if found is shown else found


def compares(question: str) -> bool:
    """Does a question ask for what two photos have in common, or not?"""
    return COMPARE.search(question.lower()) is not None


def compared(one: Photo, other: Photo) -> str:
    """What was found on each, as markdown; true by construction."""
    return "\n".join(f"- **Photo {photo.number}**: {found(photo)}" for photo in (one, other))


def asks_no_more(question: str) -> bool:
    """Does a question only name a photo: "and the first photo?"?"""
    return not FILLER.sub("", BEFORE.sub("", NAMED.sub("", question.lower())))


def found(photo: Photo) -> str:
    """What was found on a photo, and how sure that is."""
    inspection = photo.chat.inspection
    return f"{tell('confidence', inspection)} {tell('regions', inspection)}"


def _at(match: re.Match[str], photos: Sequence[Photo]) -> Photo | None:
    if match[1]:
        return next((photo for photo in photos if photo.number == int(match[1])), None)
    if match[2] == "last":
        return photos[-1]
    place = ORDER.index(match[2])
    return photos[place] if place < len(photos) else None
