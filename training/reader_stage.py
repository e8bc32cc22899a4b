"""The reader of questions, from the templates alone: which defect one singles out, and what no photo tells."""

from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from tqdm import tqdm

from assistant.inspection import KINDS, POSITIONS
from assistant.question_reader import BUCKETS, NOTHING, ONES, READINGS, SHAPE, TOGETHER, UNRELATED, WEIGHTS, hashed
from data_gen.instructions import INTENTS
from data_gen.invented import random_inspection
from data_gen.phrasings import load_nameless, load_phrasings
from data_gen.questions import BEYOND, write_question
from data_gen.typed import choose, draw, dress, roughen
from training.config import ReaderConfig
from training.saving import finished
from training.trainer import fit

# Intents with a slot for a defect or a place, which are easily taken for one another.
SINGLING = ("one", "one_location", "one_size", "one_severity", "one_kind", "one_look", "cell")
WHOLE = ("total", "others")
ABOUT_PART = ("presence", "location", "size", "severity", "kind")
# How often each sort of question is read; of the rest, and of what is beyond a photo, each template equally often.
SHARES = {"singling": 0.37, "whole": 0.07, "beyond": 0.14, "nameless": 0.12}
INSPECTIONS = 400  # that questions are asked about
TYPED = 0.5  # share of questions with openers, closers and slips of the key
SHRINK = 1e-7  # weight of the squared weights beside the loss


class Questions(Dataset):
    """`count` hashed questions with their readings, over and over."""

    def __init__(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.phrasings = load_phrasings()
        rest = (name for name in INTENTS if name not in (*SINGLING, *WHOLE, *BEYOND))
        self.among = {"singling": SINGLING, "whole": WHOLE, "beyond": BEYOND, "nameless": (), "rest": tuple(rest)}
        self.inspections = [random_inspection(rng) for _ in range(INSPECTIONS)]
        drawn = (self.draw(rng) for _ in tqdm(range(count), "drawing questions", mininterval=10))
        self.rows = [{"buckets": hashed(text), "reading": READINGS.index(reading)} for text, reading in drawn]

    def __len__(self) -> int:
        return 10_000_000  # an endless stream: the budget ends training, not an epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index % len(self.rows)]

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """A question as it is typed, and its reading."""
        sort = str(rng.choice(list(self.among), p=[*SHARES.values(), 1 - sum(SHARES.values())]))
        if sort == "nameless":
            return roughen(self._nameless(rng), rng), NOTHING
        intent, follow = self._intent(sort, rng)
        inspection = self.inspections[int(rng.integers(INSPECTIONS))]
        question = write_question(intent, inspection, rng, follow=follow, noise=False, tries=1)
        text = question.text
        if rng.random() < TYPED:
            text = roughen(dress(text, self.phrasings.slots, rng), rng)
        if question.focus is not None and question.focus.name in (*ONES, TOGETHER):
            return text, question.focus.name
        if intent == "main":
            return text, intent
        return text, UNRELATED if sort == "beyond" else NOTHING

    def _intent(self, sort: str, rng: np.random.Generator) -> tuple[str, bool]:
        """One of a sort, and whether it continues a thread."""
        ask, follow = self.phrasings.ask, self.phrasings.follow
        intents = self.among[sort]
        lines = np.array([1 if sort == "singling" else len(ask[name]) for name in intents])
        intent = str(rng.choice(intents, p=lines / lines.sum()))
        further = len(follow.get(intent, ()))
        return intent, bool(rng.random() < further / (further + len(ask[intent])))

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


def collate(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Questions one after the other, `buckets` (sum of N,), with the number of n-grams of each, `counts` (B,)."""
    return {
        "buckets": torch.from_numpy(np.concatenate([row["buckets"] for row in rows])),
        "counts": torch.tensor([len(row["buckets"]) for row in rows]),
        "labels": torch.tensor([row["reading"] for row in rows]),
    }


class Reader(nn.Module):
    """What `QuestionReader` computes, in floating point; all weights start at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(BUCKETS, len(READINGS)))
        self.bias = nn.Parameter(torch.zeros(len(READINGS)))

    def forward(self, buckets: Tensor, counts: Tensor, labels: Tensor) -> dict[str, Tensor]:
        starts = counts.cumsum(0) - counts
        root = counts.rsqrt().repeat_interleave(counts)
        scores = F.embedding_bag(buckets, self.weight, starts, mode="sum", per_sample_weights=root) + self.bias
        return {"loss": F.cross_entropy(scores, labels) + SHRINK * self.weight.square().sum(), "logits": scores}

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
