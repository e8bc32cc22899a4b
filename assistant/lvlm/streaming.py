"""Text pieces while the model writes; the batch answer reads the same path to its end."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import torch
from peft import PeftModel
from tokenizers.decoders import DecodeStream
from torch import Tensor
from transformers import BatchFeature, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from assistant.lvlm.modeling import AnomalyLvlmForConditionalGeneration
from assistant.lvlm.processing import AnomalyLvlmProcessor

# Sampled from the head of the distribution: other words, still about the photo.
VARIED: dict[str, Any] = {"do_sample": True, "temperature": 0.8, "top_p": 0.9}


class _TokenQueue(BaseStreamer):
    """Hands token ids from the generating thread to the reading one; what comes first is the prompt, dropped."""

    def __init__(self) -> None:
        self.items: SimpleQueue[int | BaseException | None] = SimpleQueue()
        self._prompt_seen = False

    def put(self, value: Tensor) -> None:
        if self._prompt_seen:
            self.items.put(int(value))
        self._prompt_seen = True

    def end(self) -> None:
        """Nothing: the thread itself reports its end, since `generate` does not call this when it fails."""


class _StopWhen(StoppingCriteria):
    def __init__(self, *events: threading.Event) -> None:
        self.events = events

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        stopped = any(event.is_set() for event in self.events)
        return torch.full((len(input_ids),), stopped, dtype=torch.bool, device=input_ids.device)


def stream(
    model: AnomalyLvlmForConditionalGeneration | PeftModel,
    processor: AnomalyLvlmProcessor,
    inputs: BatchFeature,
    *,
    max_new_tokens: int = 256,
    stop: threading.Event | None = None,
    varied: bool = False,
) -> Iterator[str]:
    """Yields the answer to one prompt piece by piece; joined, the pieces are the answer.

    Several threads may stream from one model, but not for Qwen-VL, which keeps positions of the current prompt in
    the model itself: there, hold a lock.

    Args:
        model: an `AnomalyLvlmForConditionalGeneration`, or a PEFT model around one.
        inputs: from the processor, a batch of one.
        stop: set it, or close the iterator, and generation ends within one token.
        varied: draw words by chance, not always the likeliest.

    Raises:
        Whatever generation raised in its thread.
    """
    assert len(inputs["input_ids"]) == 1
    tokens, closed = _TokenQueue(), threading.Event()
    criteria = StoppingCriteriaList([_StopWhen(closed, stop or closed)])

    def work() -> None:
        try:
            model.generate(
                **inputs,
                **(VARIED if varied else {"do_sample": False}),
                max_new_tokens=max_new_tokens,
                streamer=tokens,
                stopping_criteria=criteria,
            )
            tokens.items.put(None)
        except BaseException as error:
            tokens.items.put(error)  # raised again where it can be seen

    thread = threading.Thread(target=work, name="stream", daemon=True)
    thread.start()
    text = DecodeStream(skip_special_tokens=True)
    try:
        while (token := tokens.items.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            # None while the bytes of a character are incomplete.
            if piece := text.step(processor.tokenizer.backend_tokenizer, token):
                yield piece
    finally:
        closed.set()
        thread.join()


def answer(
    model: AnomalyLvlmForConditionalGeneration | PeftModel,
    processor: AnomalyLvlmProcessor,
    inputs: BatchFeature,
    *,
    max_new_tokens: int = 256,
) -> str:
    """The whole answer at once, by the same path as `stream`, without outer blanks."""
    return "".join(stream(model, processor, inputs, max_new_tokens=max_new_tokens)).strip()
