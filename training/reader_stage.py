"""The reader of questions, from the templates alone: what one singles out and asks for, and what no photo tells."""

from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from tqdm import tqdm

from assistant.form import WISH
from assistant.inspection import KINDS, POSITIONS
from assistant.question_reader import (
    ASKS,
    BUCKETS,
    COLUMNS,
    FORMS,
    NO_FORM,
    NOTHING,
    ONES,
    READINGS,
    SHAPE,
    TOGETHER,
    UNRELATED,
    WEIGHTS,
    hashed,
)
from data_gen.instructions import INTENTS
from data_gen.invented import random_inspection
from data_gen.phrasings import load_asides, load_forms, load_nameless, load_phrasings
from data_gen.questions import BEYOND, Question, write_question
from data_gen.typed import choose, draw, dress, fill, roughen
from training.config import ReaderConfig
from training.saving import finished
from training.trainer import fit

# Intents with a slot for a defect or a place, which are easily taken for one another.
SINGLING = ("one", "one_location", "one_size", "one_severity", "one_kind", "one_look", "cell")
WHOLE = ("total", "others")
FRAMED = (  # asked with a wish for the form of the answer
    "presence", "location", "count", "size", "severity", "kind", "look", "confidence", "advice", "report", "why",
    "main", "comparison", "leading_good", "leading_bad", "one_location", "one_size", "one_severity", "total",
)  # fmt: skip
LENGTHS = ("brief", "detail")  # a form with no question
ABOUT_PART = ("presence", "location", "size", "severity", "kind")
# What the intents ask for; the others say no more than what they are about, or how long an answer is wished for.
ASKED = {
    "presence": "presence", "leading_good": "presence", "leading_bad": "presence", "cell": "presence",
    "sort": "presence", "location": "position", "one_location": "position", "count": "count", "one_count": "count",
    "size": "size", "one_size": "size", "total": "size", "severity": "severity", "one_severity": "severity",
    "kind": "type", "one_kind": "type", "look": "look", "one_look": "look", "confidence": "confidence",
    "kind_sure": "confidence of the kind", "box": "report", "one": "report", "report": "report", "detail": "report",
    "references": "references", "comparison": "comparison", "advice": "advice", "why": "reason",
    "else": "anything else", "others": "anything else", "main": "the main one",
    "claimed": "agreement", "correction": "agreement", "greeting": "talk", "thanks": "talk", "identity": "talk",
    "units": "units", "unanswerable": UNRELATED,
}  # fmt: skip
# Questions of asides.yaml that may single out a defect, or be none for the assistant.
OPEN = ("dismissal", "agreement", "report", "anything else", "the main one", "talk")
UNLABELLED = -100  # no part of the loss
# How often each sort of question is read; of the rest, and of what is beyond a photo, each template equally often.
SHARES = {"singling": 0.3, "whole": 0.07, "beyond": 0.1, "nameless": 0.1, "asides": 0.14, "forms": 0.08}
INSPECTIONS = 400  # that questions are asked about
TYPED = 0.5  # share of questions with openers, closers and slips of the key
SHRINK = 1e-7  # weight of the squared weights beside the loss


class Questions(Dataset):
    """`count` hashed questions with their readings, over and over."""

    def __init__(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.phrasings = load_phrasings()
        rest = (name for name in INTENTS if name not in (*SINGLING, *WHOLE, *BEYOND))
        self.among = {
            "singling": SINGLING,
            "whole": WHOLE,
            "beyond": BEYOND,
            "nameless": (),
            "asides": (),
            "forms": FRAMED,
            "rest": tuple(rest),
        }
        self.inspections = [random_inspection(rng) for _ in range(INSPECTIONS)]
        drawn = (self.draw(rng) for _ in tqdm(range(count), "drawing questions", mininterval=10))
        self.rows = [
            {"buckets": hashed(text), "labels": tuple(map(_place, labels, (READINGS, ASKS, FORMS)))}
            for text, *labels in drawn
        ]

    def __len__(self) -> int:
        return 10_000_000  # an endless stream: the budget ends training, not an epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index % len(self.rows)]

    def draw(self, rng: np.random.Generator) -> tuple[str, str | None, str | None, str | None]:
        """A question as it is typed, what it singles out, what it asks for and in which form: None where that is not
        known."""
        sort = str(rng.choice(list(self.among), p=[*SHARES.values(), 1 - sum(SHARES.values())]))
        if sort == "nameless":
            return roughen(self._nameless(rng), rng), NOTHING, None, NO_FORM
        if sort == "asides":
            return self._aside(rng)
        if sort == "forms":
            return self._wish(sort, rng)
        question = self._question(sort, rng)
        text = question.text
        if rng.random() < TYPED:
            text = roughen(dress(text, self.phrasings.slots, rng), rng)
        form = None if question.intent in LENGTHS or WISH.search(question.text) else NO_FORM
        return text, self._singled_out(question, sort), ASKED.get(question.intent), form

    def _question(self, sort: str, rng: np.random.Generator) -> Question:
        intent, follow = self._intent(sort, rng)
        inspection = self.inspections[int(rng.integers(INSPECTIONS))]
        return write_question(intent, inspection, rng, follow=follow, noise=False, tries=1)

    def _singled_out(self, question: Question, sort: str) -> str:
        if question.focus is not None and question.focus.name in (*ONES, TOGETHER):
            return question.focus.name
        return question.intent if question.intent == "main" else UNRELATED if sort == "beyond" else NOTHING

    def _intent(self, sort: str, rng: np.random.Generator) -> tuple[str, bool]:
        """One of a sort, and whether it continues a thread."""
        ask, follow = self.phrasings.ask, self.phrasings.follow
        intents = self.among[sort]
        lines = np.array([1 if sort == "singling" else len(ask[name]) for name in intents])
        intent = str(rng.choice(intents, p=lines / lines.sum()))
        further = len(follow.get(intent, ()))
        return intent, bool(rng.random() < further / (further + len(ask[intent])))

    def _aside(self, rng: np.random.Generator) -> tuple[str, str | None, str, str]:
        """One of asides.yaml; those that name a defect may single it out."""
        table = load_asides()
        asks = str(rng.choice(list(table)))
        text = choose(table[asks], rng)
        if rng.random() < TYPED:
            text = dress(text, self.phrasings.slots, rng)
        return roughen(text, rng), None if asks in OPEN else NOTHING, asks, NO_FORM

    def _wish(self, sort: str, rng: np.random.Generator) -> tuple[str, str | None, str | None, str]:
        """A question with the form that its answer is wished in."""
        table = load_forms()
        form = str(rng.choice(list(table)))
        frame, singled, asks = choose(table[form], rng), None, None
        if "{question}" in frame:
            question = self._question(sort, rng)
            singled, asks = self._singled_out(question, sort), ASKED.get(question.intent)
            frame = fill(frame, {"question": question.text})
        return roughen(frame, rng), singled, asks, form

    def _nameless(self, rng: np.random.Generator) -> str:
        """A question of nameless.yaml: two defects, one in a place, a thing of the part, the part and the weather."""
        slots, (stems, lists) = self.phrasings.slots, load_nameless()
        one, other, cell = (str(name) for name in (*rng.choice(ONES, 2, replace=False), rng.choice(POSITIONS)))
        asked = {"presence": str(rng.choice(ABOUT_PART)), "beyond": str(rng.choice(BEYOND))}
        named = {
            "one": slots[f"one_{one}"], "other": slots[f"one_{other}"], "cell": slots[f"cell_{cell.replace(' ', '_')}"],
            "kind": KINDS, **{slot: self.phrasings.ask[intent] for slot, intent in asked.items()},
        }  # fmt: skip
        filled = {slot: (draw(choose(words, rng), slots, rng),) for slot, words in named.items()}
        return draw(choose(stems, rng), lists | filled, rng)


def _place(name: str | None, names: tuple[str, ...]) -> int:
    return UNLABELLED if name is None else names.index(name)


def collate(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Questions one after the other, `buckets` (sum of N,), with the number of n-grams, `counts` (B,), and what each
    singles out, asks for and in which form, `labels` (B, 3)."""
    return {
        "buckets": torch.from_numpy(np.concatenate([row["buckets"] for row in rows])),
        "counts": torch.tensor([len(row["buckets"]) for row in rows]),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


class Reader(nn.Module):
    """What `QuestionReader` computes, in floating point; all weights start at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(BUCKETS, len(COLUMNS)))
        self.bias = nn.Parameter(torch.zeros(len(COLUMNS)))

    def forward(self, buckets: Tensor, counts: Tensor, labels: Tensor) -> dict[str, Tensor]:
        starts = counts.cumsum(0) - counts
        root = counts.rsqrt().repeat_interleave(counts)
        scores = F.embedding_bag(buckets, self.weight, starts, mode="sum", per_sample_weights=root) + self.bias
        columns = scores.split([len(READINGS), len(ASKS), len(FORMS)], dim=1)
        loss = sum(
            F.cross_entropy(column, label, ignore_index=UNLABELLED)
            for column, label in zip(columns, labels.unbind(1), strict=True)
        )
        return {"loss": loss + SHRINK * self.weight.square().sum(), "logits": scores}

    @torch.no_grad()
    def quantised(self) -> dict[str, Tensor]:
        """The tensors of a `QuestionReader`'s file."""
        scale = self.weight.abs().amax(dim=0).clamp_min(1e-6) / 127
        return {
            "weight": (self.weight / scale).round().to(torch.int8),
            "scale": scale,
            "bias": self.bias.detach().clone(),
        }


def train_reader(config: ReaderConfig) -> None:
    """Train the reader and write it to `config.output`."""
    torch.manual_seed(config.seed)
    model = Reader()
    fit(config, model, Questions(config.questions, config.seed), collate)
    with finished(config.output) as folder:
        save_file(model.quantised(), folder / WEIGHTS.name, {"shape": SHAPE})
