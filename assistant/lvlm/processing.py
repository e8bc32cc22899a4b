"""Messages, images and anomaly maps -> tokens, with the loss mask of training; one template for both uses."""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor
from torch.nn import functional as F
from transformers import AddedToken, BatchFeature, ProcessorMixin
from transformers.utils import PushToHubMixin

from assistant import UserError
from assistant.lvlm.photo_processor import photo_processor_class

Message = dict[str, Any]
Span = tuple[int, int]
ANOMALY_TOKEN = "<anomaly>"

# LLaVA-1.5's (Vicuna's) turns, for a base that brings no template of its own.
DEFAULT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for item in message['content'] %}"
    "{{ '<image>\n' if item['type'] == 'image' else item['text'] }}{% endfor %}"
    "{{ eos_token if message['role'] == 'assistant' else ' ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


class AnomalyLvlmProcessor(PushToHubMixin):
    """Wraps the base's processor; `{"type": "anomaly"}` items become `num_anomaly_tokens` placeholders.

    Args:
        base: the processor of the base model; its tokenizer knows `<anomaly>` (see `from_base`).
        num_anomaly_tokens: placeholders per anomaly map.
    """

    def __init__(self, base: ProcessorMixin, num_anomaly_tokens: int = 9) -> None:
        self.base = base
        self.tokenizer = base.tokenizer
        self.num_anomaly_tokens = num_anomaly_tokens
        self.tokenizer.padding_side = "left"  # generation continues at the right end
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        if base.chat_template is None:
            base.chat_template = self.tokenizer.chat_template or DEFAULT_TEMPLATE
        # Not every added token: `tiny` has its spoken numbers ("90%") among them.
        self._control_tokens = [t.content for t in self.tokenizer.added_tokens_decoder.values() if t.special]
        self.anomaly_token_id: int = self.tokenizer.convert_tokens_to_ids(ANOMALY_TOKEN)

    @classmethod
    def from_base(cls, base: ProcessorMixin, num_anomaly_tokens: int = 9) -> "AnomalyLvlmProcessor":
        """Adds `<anomaly>` to the tokenizer of a plain base and wraps it."""
        base.tokenizer.add_tokens([AddedToken(ANOMALY_TOKEN, special=True)], special_tokens=True)
        return cls(base, num_anomaly_tokens)

    def __call__(
        self,
        conversations: Sequence[list[Message]],
        images: Sequence[Image] = (),
        anomaly_maps: Sequence[NDArray[np.floating] | Tensor] = (),
        labels: bool = False,
    ) -> BatchFeature:
        """A batch, padded on the left where answers are to come; on the right, without `attention_mask`, with `labels`.

        Args:
            conversations: messages in the convention of transformers, content items of type "image",
                "anomaly" and "text". Unless `labels`, each is continued by an answer to come.
            images: one for each image item, in order over the batch.
            anomaly_maps: (H, W) in [0, 1], one for each anomaly item, in order over the batch.
            labels: also return `labels` (B, T): ids of the assistant's answers and their end-of-turn
                tokens, -100 elsewhere.

        Raises:
            UserError: items and images or maps do not match in number.
        """
        _check_counts(conversations, "image", len(images))
        _check_counts(conversations, "anomaly", len(anomaly_maps))
        rendered = [self.render(messages, answer_follows=not labels) for messages in conversations]
        features = self.base(
            text=[text for text, _ in rendered],
            images=_nested(conversations, images),
            padding=True,
            # In training what is padded comes last, where no position before sees it: so no mask is needed, without
            # which attention takes its faster, purely causal way.
            padding_side="right" if labels else "left",
            return_tensors="pt",
            # A template that writes its own beginning-of-sequence token must not get a second one.
            add_special_tokens=not self._begins_itself(rendered[0][0]),
            return_offsets_mapping=True,
            return_text_replacement_offsets=True,
        )
        offsets = features.pop("offset_mapping")
        replaced = features.pop("text_replacement_offsets", None) or [[] for _ in rendered]
        if anomaly_maps:
            features["anomaly_maps"] = _stack_maps(anomaly_maps)
        if labels:
            spans = [_moved(spans, moves) for (_, spans), moves in zip(rendered, replaced, strict=True)]
            features["labels"] = _labels(features["input_ids"], offsets, spans)
            del features["attention_mask"]
        return features

    def render(self, messages: list[Message], answer_follows: bool) -> tuple[str, list[Span]]:
        """The prompt as text, placeholders in place, and the character spans of the answers in it.

        A span is what the template adds after its own generation prompt, up to and with the end-of-turn token;
        so it is right for every family. LLaVA-1.5's template writes no such token; it is added, or the model
        would never learn to stop.
        """
        messages = [self._plain(message) for message in messages]
        text, template, spans = "", "", []
        for k, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            prompt = self._template(messages[:k], answer_follows=True)
            done = self._template(messages[: k + 1], answer_follows=False)
            if not (prompt.startswith(template) and done.startswith(prompt)):
                raise UserError("the chat template rewrites earlier turns", "use one that only appends")
            answer, end, rest = done[len(prompt) :].partition(self.tokenizer.eos_token)
            text += prompt[len(template) :]
            answer = answer if end else answer.rstrip()
            spans.append((len(text), len(text) + len(answer) + len(self.tokenizer.eos_token)))
            text += answer + self.tokenizer.eos_token + rest
            template = done
        whole = self._template(messages, answer_follows=answer_follows)
        return text + whole[len(template) :], spans

    def _template(self, messages: list[Message], answer_follows: bool) -> str:
        # The common method, as SmolVLM's own asks its part for videos, which is left out here.
        return ProcessorMixin.apply_chat_template(
            self.base, messages, tokenize=False, add_generation_prompt=answer_follows
        )

    def _plain(self, message: Message) -> Message:
        """A message that any template takes: text and image items only, and no control tokens in the text."""
        content = message["content"]
        items = [{"type": "text", "text": content}] if isinstance(content, str) else content
        plain = []
        for item in items:
            if item["type"] == "anomaly":
                plain.append({"type": "text", "text": ANOMALY_TOKEN * self.num_anomaly_tokens})
            elif item["type"] == "text":
                plain.append({"type": "text", "text": self._harmless(item["text"])})
            else:
                plain.append({"type": "image"})
        return {"role": message["role"], "content": plain}

    def _harmless(self, text: str) -> str:
        """Breaks control tokens that someone typed (`<image>`, an end of turn), by a blank after the first sign."""
        for token in self._control_tokens:
            if token in text:
                text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def _begins_itself(self, text: str) -> bool:
        return bool(self.tokenizer.bos_token) and text.startswith(self.tokenizer.bos_token)

    def decode(self, ids: Tensor | Sequence[int]) -> str:
        """Text without control tokens and outer blanks."""
        return self.tokenizer.decode(ids, skip_special_tokens=True).strip()

    def save_pretrained(self, folder: str | Path, **hub: Any) -> list[str]:
        """Writes the base's files, and in `processor_config.json` that they are to be wrapped."""
        files = self.base.save_pretrained(str(folder))
        path = Path(folder) / "processor_config.json"
        saved = json.loads(path.read_text())
        saved |= {
            "processor_class": type(self).__name__,
            "base_processor_class": type(self.base).__name__,
            "num_anomaly_tokens": self.num_anomaly_tokens,
        }
        path.write_text(json.dumps(saved, indent=2) + "\n")
        return files

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, **hub: Any) -> "AnomalyLvlmProcessor":
        """Opens what `save_pretrained` wrote; `hub` takes revision, token, cache_dir and the like."""
        saved, _ = ProcessorMixin.get_processor_dict(str(name_or_path), **hub)
        if "base_processor_class" not in saved:
            raise UserError(
                f"{name_or_path} holds no anomaly processor",
                "wrap a plain base with AnomalyLvlmProcessor.from_base(load_base_processor(...))",
            )
        base = photo_processor_class(saved["base_processor_class"]).from_pretrained(str(name_or_path), **hub)
        return cls(base, saved["num_anomaly_tokens"])


def _check_counts(conversations: Sequence[list[Message]], kind: str, given: int) -> None:
    asked = sum(_count(messages, kind) for messages in conversations)
    if asked != given:
        raise UserError(
            f"the messages hold {asked} {kind} items but {given} were given",
            f'pass one for each {{"type": "{kind}"}} item, in order',
        )


def _count(messages: list[Message], kind: str) -> int:
    contents = [message["content"] for message in messages if not isinstance(message["content"], str)]
    return sum(item["type"] == kind for items in contents for item in items)


def _nested(conversations: Sequence[list[Message]], images: Sequence[Image]) -> list[list[Image]] | None:
    """The images by conversation; LLaVA-OneVision cuts a lone photo into tiles, but not one of several."""
    rest = iter(images)
    by_conversation = [[*islice(rest, _count(messages, "image"))] for messages in conversations]
    return [some for some in by_conversation if some] or None


def _stack_maps(anomaly_maps: Sequence[NDArray[np.floating] | Tensor]) -> Tensor:
    """(H, W) of any sizes -> (M, H, W) float32; where sizes differ, all are brought to the first one's."""
    maps = [torch.as_tensor(one, dtype=torch.float32) for one in anomaly_maps]
    size = maps[0].shape
    # Max pooling, as a peak must not be averaged away before the prompt learner sees it.
    return torch.stack([m if m.shape == size else F.adaptive_max_pool2d(m[None], size)[0] for m in maps])


def _moved(spans: list[Span], moves: list[dict[str, Any]]) -> list[Span]:
    """Character spans after each image placeholder has grown to its number of tokens."""

    def shift(position: int) -> int:
        grown = [move for move in moves if move["span"][1] <= position]
        return position + sum(len(move["replacement"]) - len(move["text"]) for move in grown)

    return [(shift(start), shift(end)) for start, end in spans]


def _labels(input_ids: Tensor, offsets: Tensor, spans: list[list[Span]]) -> Tensor:
    """(B, T) ids, (B, T, 2) character offsets -> (B, T) ids of tokens that overlap a span, else -100."""
    start, end = offsets[..., 0], offsets[..., 1]
    mine = torch.zeros_like(input_ids, dtype=torch.bool)
    for row, row_spans in enumerate(spans):
        for first, last in row_spans:
            mine[row] |= (start[row] < last) & (end[row] > first)
    return input_ids.masked_fill(~mine, -100)
