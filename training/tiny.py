"""The embedded size: a processor and an untrained model small enough for one CPU core."""

import math
import shutil
import tempfile
from pathlib import Path

from transformers import (
    AddedToken,
    AutoModelForImageTextToText,
    GenerationConfig,
    LlamaConfig,
    LlamaTokenizer,
    LlavaConfig,
    LlavaProcessor,
    PretrainedConfig,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor

USER, ASSISTANT = "<user>", "<assistant>"

# One token per turn instead of the fourteen that "USER:" and "ASSISTANT:" cost with so small a vocabulary. The
# blank before the text makes its first word the same token as inside a sentence.
TEMPLATE = (
    "{% for message in messages %}{{ '<' + message['role'] + '>' }}"
    "{% for item in message['content'] %}"
    "{{ '<image>' if item['type'] == 'image' else item['text'] if item['text'].startswith('<anomaly>')"
    " else ' ' + item['text'] }}{% endfor %}"
    "{{ eos_token if message['role'] == 'assistant' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)


def build_tiny_processor(
    sentencepiece_model: str | Path,
    *,
    image_size: int = 256,
    num_image_tokens: int = 16,
    num_anomaly_tokens: int = 9,
) -> AnomalyLvlmProcessor:
    """A LLaVA processor around a SentencePiece model.

    Args:
        sentencepiece_model: a `.model` file of type BPE (a unigram one cannot be read as a Llama tokenizer), with
            `byte_fallback`, so that any text comes back as it was.
        image_size: side in pixels; photos are resized to a square without cropping, since a defect may lie at
            the border.
        num_image_tokens: tokens of the vision tower per photo; a square number.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(sentencepiece_model, Path(folder) / "tokenizer.model")
        tokenizer = LlamaTokenizer.from_pretrained(folder)
    added = [AddedToken(token, special=True) for token in ("<image>", USER, ASSISTANT)]
    tokenizer.add_tokens(added, special_tokens=True)
    if tokenizer.pad_token is None:
        tokenizer.add_special_tokens({"pad_token": "<pad>"})
    side = math.isqrt(num_image_tokens)
    assert side * side == num_image_tokens
    image_processor = CLIPImageProcessorPil(
        size={"height": image_size, "width": image_size},
        do_center_crop=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    base = LlavaProcessor(
        image_processor,
        tokenizer,
        patch_size=image_size // side,
        vision_feature_select_strategy="full",
        chat_template=TEMPLATE,
    )
    return AnomalyLvlmProcessor.from_base(base, num_anomaly_tokens)


def build_tiny_model(
    vision_config: PretrainedConfig,
    processor: AnomalyLvlmProcessor,
    *,
    hidden_size: int = 320,
    num_layers: int = 6,
    num_heads: int = 5,
) -> AnomalyLvlmForConditionalGeneration:
    """Random weights: a LLaVA of the given vision tower and a small Llama with tied embeddings.

    Args:
        vision_config: of a tower whose `hidden_states[-1]` is (B, num_image_tokens, hidden_size of its own),
            without a class token.
    """
    tokenizer = processor.tokenizer
    text_config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=int(hidden_size * 8 / 3) // 64 * 64,  # SwiGLU's usual ratio, in whole cache lines
        num_hidden_layers=num_layers,
        num_attention_heads=num_heads,
        num_key_value_heads=num_heads,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlavaConfig(
        vision_config=vision_config,
        text_config=text_config,
        image_token_index=processor.base.image_token_id,
        image_seq_length=(processor.base.image_processor.size["height"] // processor.base.patch_size) ** 2,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        tie_word_embeddings=True,
    )
    base = AutoModelForImageTextToText.from_config(config)
    base.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return AnomalyLvlmForConditionalGeneration.from_base(
        base,
        anomaly_token_id=processor.anomaly_token_id,
        num_anomaly_tokens=processor.num_anomaly_tokens,
    )
