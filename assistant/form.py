"""The form that a question wants its answer in: yes or no, one word, a number, one sentence, bullet points, an e-mail.

Models follow such wishes poorly; here the form is taken off the question, what is left is answered as ever, and the
answer is put into the form. What a word or a number says is taken from the Inspection alone.
"""

import re
from dataclasses import dataclass

from assistant.agreement import NO, YES
from assistant.claims import polarity, sentences
from assistant.focus import Focus, find_focus, within
from assistant.inspection import Inspection, Region
from assistant.question_reader import asked_for, wished_form
from assistant.spoken import as_sentence, join, lowered, spoken_number, spoken_size
from assistant.wording import counted, described, is_at, listed, look, size_of, spoken_confidence

SOFT = r"(?:please|pls|plz|only|just|simply|answer|reply|say|tell me|give me|with|in|as|a|an|the|me|and|it)"
ASIDE = rf"(?:\s*(?:\b{SOFT}\b|[,.:;!?()\-]))*\s*"
# The usual words of a wish, which are no part of what is asked.
WISH = re.compile(
    rf"{ASIDE}(?:\b(?:yes ?(?:or|/|,|-)? ?(?:a )?no|y ?/ ?n)\b|\b(?:one|1|single)[ -](?:word|sentence|line|number)\b|"
    r"\b(?:number|digits?|figure|word)s? (?:only|please|is enough|will do)\b|"
    r"\b(?:just|only) (?:the|a) (?:number|figure)\b|"
    r"\bno sentences\b|\bshort(?:er)? (?:answer|version)\b|\bbriefly\b|\bin short\b|\bkeep it (?:short|brief)\b|"
    rf"\bbullet(?:ed|s)?(?:[ -](?:points?|list))?\b|\b(?:as|in) a (?:list|table)\b){ASIDE}",
    re.I,
)
ONLY = re.compile(r"\b(?:only|just|simply|single|bare|nothing (?:else|but|more)|no more|that's all)\b", re.I)
# What is done with a part, by whether it is one to keep.
KEEP = (
    r"ships?|shipped|sell|sold|use|used|usable|pass|accept|accepted|acceptable|release|released|keep|go|good|ok|okay|"
    r"fine|safe|yes"
)
STOP = (
    r"hold|held|reject|rejected|scrap|scrapped|stop|return|block|blocked|fail|bad|nok|no[ -]go|not ok|defective|"
    r"faulty|broken|no"
)
ALTERNATIVES = re.compile(
    rf"\b(?:(?P<keep>{KEEP})|(?P<stop>{STOP})) ?(?:or|/|,) ?(?:(?P<then_keep>{KEEP})|(?P<then_stop>{STOP}))\b"
)
DONE = re.compile(rf"\b(?:(?P<keep>{KEEP})|(?P<stop>{STOP}))\b")
SIDES = {"left": "left", "right": "right", "top": "upper", "upper": "upper", "bottom": "lower", "lower": "lower"}
FIELDS = {
    "verdict": r"verdict|result|decision|status", "sure": r"confiden\w+|sure|certain\w*|probabilit\w+",
    "where": r"locations?|places?|positions?|where|defects?|findings?|regions?|describe",
    "how bad": r"severit\w+|grades?",
    "size": r"sizes?|areas?", "kind": r"kinds?|types?", "look": r"looks?|appearance",
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """The wish, one of `FORMS`, whether nothing else is wanted, and the question without the usual words of a wish."""

    name: str
    only: bool
    question: str


def find_form(question: str) -> Form | None:
    """The form that is wished for; None where any will do, where much is wanted, or nothing else is asked ("In one
    word?")."""
    name = wished_form(question)
    if name in (None, "long"):
        return None
    rest = WISH.sub(" ", question).strip(" ,.:;!-")
    if len(rest.split()) < 2 and not asked_for(rest):
        return None
    ends = "" if rest.endswith("?") else "?" if "?" in question else "."
    return Form(str(name), ONLY.search(question) is not None, rest + ends)


def formed(form: Form, inspection: Inspection) -> str | None:
    """The answer in its form where the Inspection alone tells it; None where the answer in words is needed."""
    if form.name == "letter":
        return _letter(inspection)
    if form.name == "list":
        return _listed(form.question, inspection)
    if form.name == "yes or no":
        return _yes_or_no(form, inspection)
    asks = asked_for(form.question)
    if form.name == "word":
        return _chosen(form.question, inspection) or (_word(asks, form.question, inspection) if asks else None)
    if form.name == "number":
        return _number(asks, form.question, inspection) if asks else None
    return _line(inspection) if asks == "report" else None


def trimmed(form: Form, answer: str) -> str:
    """An answer in words, cut to the form: its yes or no, or its first sentence."""
    if form.name == "yes or no" and form.only and (said := YES.match(answer) or NO.match(answer)):
        return f"{said.group().strip(' ,.;:')}."
    if form.name in ("yes or no", "sentence"):
        parts = sentences(answer)
        return answer[: parts[1][0]].strip() if len(parts) > 1 else answer
    return answer


def _yes_or_no(form: Form, inspection: Inspection) -> str | None:
    if inspection.verdict == "unsure" or find_focus(form.question, inspection):
        return None
    good, done = polarity(form.question), DONE.search(form.question.lower())
    if good is None and asked_for(form.question) == "advice" and done:
        good = "good" if done["keep"] else "defective"
    if good is None:
        return None
    yes = "Yes" if good == inspection.verdict else "No"
    return f"{yes}." if form.only else f"{yes}, {lowered(_line(inspection))}"


def _chosen(question: str, inspection: Inspection) -> str | None:
    """One of two words on offer: "ship or hold", "left or right"."""
    low = question.lower()
    if offer := ALTERNATIVES.search(low):
        keep, stop = offer["keep"] or offer["then_keep"], offer["stop"] or offer["then_stop"]
        if keep and stop:
            word = {"good": keep, "defective": stop}.get(inspection.verdict, "unsure")
            return f"{as_sentence(word)}."
    sides = [word for word in re.findall(r"[a-z]+", low) if word in SIDES]
    if len(sides) < 2 or not inspection.regions:
        return None
    held = [side for side in sides if any(is_at(region, SIDES[side]) for region in inspection.regions)]
    return f"{as_sentence(join(held or ['center']))}."


def _about(question: str, inspection: Inspection) -> Inspection:
    """What of it the question singles out."""
    focus: Focus | None = find_focus(question, inspection)
    return within(focus, inspection) if focus and focus.sort in ("one", "place", "box") else inspection


def _word(asks: str, question: str, inspection: Inspection) -> str | None:
    if asks in ("presence", "advice", "report"):
        return f"{as_sentence(inspection.verdict)}."
    if asks == "confidence":
        return f"{_sure(inspection)}."
    about = _about(question, inspection)
    words = {
        "position": lambda region: region.position, "severity": lambda region: region.severity,
        "type": lambda region: region.type or "unknown", "size": lambda region: spoken_size(region.area_fraction),
        "look": lambda region: "similar" if region.tone == "similar" else region.tone,
    }  # fmt: skip
    if asks == "count":
        return f"{as_sentence(spoken_number(len(about.regions)) if about.regions else 'zero')}."
    if asks not in words:
        return None
    said = dict.fromkeys(map(words[asks], about.regions)) or ["nowhere" if asks == "position" else "none"]
    return f"{as_sentence(join(said))}."


def _number(asks: str, question: str, inspection: Inspection) -> str | None:
    if asks == "confidence":
        return _sure(inspection)
    about = _about(question, inspection)
    if asks == "count":
        return str(len(about.regions))
    sizes = [spoken_size(region.area_fraction) for region in about.regions]
    return join(sizes or ["none"]) if asks == "size" else None


def _sure(inspection: Inspection) -> str:
    return f"{spoken_confidence(inspection)} {'chance of a defect' if inspection.verdict == 'unsure' else 'sure'}"


def _line(inspection: Inspection, listing: bool = False) -> str:
    """All that was found, in one sentence; with `listing` a list of it follows."""
    sure = spoken_confidence(inspection)
    if inspection.verdict == "good":
        return f"It looks good, {sure} sure: no defects."
    verdict = f"It is defective, {sure} sure"
    if inspection.verdict == "unsure":
        verdict = f"I am unsure whether it is defective; the chance of a defect is {sure}"
    return f"{verdict}: {f'I see {counted(inspection)}.' if listing else f'{listed(inspection)}.'}"


def _listed(question: str, inspection: Inspection) -> str | None:
    """Bullet points: those that are named, else the verdict and all defects."""
    asks = asked_for(question)
    named = [name for name, words in FIELDS.items() if re.search(rf"\b(?:{words})\b", question.lower())]
    if not named and asks not in ("report", "presence", "position", "look", "severity", "size", "type"):
        return None
    about = _about(question, inspection)
    if len(named) < 2:
        named = ["verdict", "sure", "where", "kind", "how bad", "size", "look"]
    lines = [f"- Verdict: {inspection.verdict}"] * ("verdict" in named)
    lines += [f"- {_sure(inspection)}"] * ("sure" in named)
    parts = [name for name in named if name not in ("verdict", "sure")]
    lines += [f"- {_fields(region, parts)}" for region in about.regions] if parts else []
    return "\n".join(lines if about.regions or not parts else [*lines, "- Defects: none"])


def _fields(region: Region, names: list[str]) -> str:
    told = {
        "where": f"in the {region.position}", "kind": region.type or "unknown kind", "how bad": region.severity,
        "size": f"{size_of(region)} of the photo", "look": look(region),
    }  # fmt: skip
    return as_sentence(", ".join(told[name] for name in ("where", "how bad", "kind", "size", "look") if name in names))


def _letter(inspection: Inspection) -> str:
    """An e-mail that says what was found."""
    about = {"good": "no defects found", "unsure": "a part to be checked"}.get(inspection.verdict, "a defective part")
    found = [
        f"- {as_sentence(described(region, inspection))}, {size_of(region)} of the photo"
        for region in inspection.regions
    ]
    body = [f"Subject: Inspection of {inspection.image or 'a part'}: {about}", "Hello,", _line(inspection, bool(found))]
    return "\n\n".join([*body, *(["\n".join(found)] if found else []), "Kind regards"])
