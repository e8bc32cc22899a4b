"""Several answers written at once, each to its end, with what the model thought of the first token."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import BatchFeature, PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Written:
    """The outcome of a batch of B prompts over a vocabulary of V.

    `tokens` are the new ones alone, never the prompt's, up to the end of each answer; `first` (B, V) float32 holds the
    log-probabilities of the first new token, on the CPU.
    """

    tokens: list[list[int]]
    first: Tensor


@torch.inference_mode()
def write(model: PreTrainedModel | PeftModel, inputs: BatchFeature, *, max_new_tokens: int) -> Written:
    """Greedy answers to a left-padded batch.

    Args:
        model: any image-text-to-text model; one with an anomaly map holds it as its `lvlm`.
        inputs: from the processor, on the model's device.
    """
    first: list[Tensor] = []

    def keep(module: nn.Module, given: Any, output: Any) -> None:
        if not first:  # the prompt's own pass; what follows is one token each
            first.append(output.logits[:, -1].float().log_softmax(dim=-1).cpu())

    hook = getattr(model, "lvlm", model).register_forward_hook(keep)
    try:
        written = model.generate(**inputs, do_sample=False, max_new_tokens=max_new_tokens)
    finally:
        hook.remove()
    new = written[:, inputs["input_ids"].shape[1] :].tolist()
    ends = model.generation_config.eos_token_id
    return Written([_until(row, ends if isinstance(ends, list) else [ends]) for row in new], first[0])


def _until(tokens: list[int], ends: list[int | None]) -> list[int]:
    """The tokens before the first of `ends`: what follows in a batch is padding."""
    return tokens[: next((i for i, token in enumerate(tokens) if token in ends), len(tokens))]


def letter_scores(first: Tensor, tokenizer: PreTrainedTokenizerBase, letters: Iterable[str]) -> dict[str, float] | None:
    """Log-probability of each letter as the next token, given those of all tokens, (V,).

    A vocabulary may have a letter twice, bare and after a blank; which of them comes next is a matter of the chat
    template, so their probabilities are added. None where a letter is no token of the vocabulary.
    """
    vocabulary = tokenizer.get_vocab()
    scores = {}
    for letter in letters:
        ids = [vocabulary[form] for form in (letter, f"\u2581{letter}", f"\u0120{letter}") if form in vocabulary]
        if not ids:
            return None
        scores[letter] = float(first[ids].logsumexp(dim=0))
    return scores
