"""Prompts that say "normal", "abnormal" and each defect kind, and the small text encoder of `tiny`."""

import re
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from assistant.inspection import KINDS

# Compositional prompt ensemble: state words inside templates (WinCLIP, Jeong et al. 2023, sec. 4.1).
TEMPLATES = (
    "a photo of {}", "a close-up photo of {}", "a cropped photo of {}", "an industrial photo of {} for inspection",
    "this is {}", "there is {} in the picture",
)  # fmt: skip
NORMAL = (
    "a flawless part", "a perfect surface", "a good part", "a part without defect", "an intact object",
    "an undamaged surface", "a clean part", "a normal product",
)  # fmt: skip
ABNORMAL = (
    "a damaged part", "a defective part", "a surface with a flaw", "a part with a defect", "a broken object",
    "an abnormal product", "a faulty surface", "a part with damage",
)  # fmt: skip
KIND_PHRASES = {
    "crack": ("a crack", "a fracture line", "a cracked surface"),
    "scratch": ("a scratch", "a scratched surface", "a scuff line"),
    "stain": ("a stain", "a spot of liquid", "a stained surface"),
    "hole": ("a hole", "a puncture", "a pit"),
    "dent": ("a dent", "a dented surface", "a bump"),
    "break": ("a broken edge", "a chipped edge", "a piece broken off"),
    "contamination": ("contamination", "dust and fibres", "foreign particles"),
    "missing part": ("a missing part", "something missing", "an absent component"),
    "misplaced part": ("a misplaced part", "a part in the wrong place", "a shifted component"),
    "color change": ("a color change", "discoloration", "a faded area"),
    "deformation": ("a deformation", "a bent part", "a warped shape"),
    "misprint": ("a misprint", "a print error", "smeared or missing print"),
}


class HashedTextEncoder(nn.Module):
    """Text -> unit vector: mean of hashed word and character n-gram embeddings (fastText, Bojanowski et al. 2017).

    It has no vocabulary, so any wording gets a vector; it is trained together with the image decoder.

    Args:
        dim: length of the vector.
        buckets: rows of the hash table.
    """

    def __init__(self, dim: int, buckets: int = 4096) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(buckets, dim, mode="mean")
        self.project = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """(T, dim) unit vectors of T texts."""
        rows = [_ngrams(text, self.table.num_embeddings) for text in texts]
        offsets = torch.tensor([0] + [len(row) for row in rows[:-1]]).cumsum(0)
        flat = torch.tensor([i for row in rows for i in row])
        device = self.table.weight.device
        return F.normalize(self.project(self.table(flat.to(device), offsets.to(device))), dim=1)


def _ngrams(text: str, buckets: int) -> list[int]:
    """Bucket numbers of the words and of their 3- to 5-grams, with word borders marked."""
    words = re.findall(r"[a-z0-9]+", text.lower()) or [""]
    grams = list(words)
    for word in words:
        bordered = f"<{word}>"
        grams += [bordered[i : i + n] for n in (3, 4, 5) for i in range(len(bordered) - n + 1)]
    return [zlib.crc32(gram.encode()) % buckets for gram in grams]


def ensemble(encoder: nn.Module, phrases: Sequence[str]) -> Tensor:
    """Mean unit vector (dim,) of all templates filled with all phrases."""
    vectors = encoder([template.format(phrase) for template in TEMPLATES for phrase in phrases])
    return F.normalize(vectors.mean(dim=0), dim=0)


def prompt_features(encoder: nn.Module) -> Tensor:
    """(2 + len(KINDS), dim): normal, abnormal, then every kind in the order of `KINDS`."""
    groups = [NORMAL, ABNORMAL, *(KIND_PHRASES[kind] for kind in KINDS)]
    return torch.stack([ensemble(encoder, phrases) for phrases in groups])
