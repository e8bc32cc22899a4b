"""Tiny configurations and processors, as the hub's models of each family have them; for test_lvlm.py."""

from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaOnevisionConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2Config,
    SiglipVisionConfig,
    SmolVLMConfig,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm import processing_smolvlm
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from assistant.lvlm.photo_processor import photo_processor_class

TEXT = {
    "hidden_size": 64,  # bitsandbytes packs rows of 64 on processors that know bfloat16
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "tie_word_embeddings": True,
}
VISION = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
CHATML = (
    "{% if not messages or messages[0]['role'] != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for item in message['content'] %}"
    "{% if item['type'] == 'image' %}IMAGE{% else %}{{ item['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As published with HuggingFaceTB/SmolVLM2-2.2B-Instruct.
SMOL = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for item in message['content'] %}{% if item['type'] == 'text' %}{{ item['text'] }}"
    "{% elif item['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
# As published with llava-hf/llava-1.5-7b-hf: images first, a blank after each text, no end-of-turn token.
VICUNA = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for item in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for item in message['content'] | selectattr('type', 'equalto', 'text') %}{{ item['text'] + ' ' }}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def tokenizer(special: list[str], template: str | None, **roles: str) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet)
    bpe.train_from_iterator(["Is there a defect? Yes, a scratch at the top left."], trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=bpe, **roles)
    wrapped.chat_template = template
    return wrapped


def llava() -> tuple[Any, Any]:
    words = tokenizer(["<s>", "</s>", "<pad>", "<image>"], VICUNA, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    pixels = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = photo_processor_class("LlavaProcessor")(
        pixels, words, patch_size=16, vision_feature_select_strategy="default", num_additional_image_tokens=1
    )
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION, image_size=32, patch_size=16),
        text_config=LlamaConfig(**TEXT, vocab_size=len(words), pad_token_id=2, eos_token_id=1),
        image_token_index=3,
    )
    return config, processor


def llava_onevision() -> tuple[Any, Any]:
    words = tokenizer(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>"],
        CHATML.replace("IMAGE", "<image>"),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    grid = [[32, 32], [32, 64], [64, 32]]
    pixels = LlavaOnevisionImageProcessorPil(size={"height": 32, "width": 32}, image_grid_pinpoints=grid)
    processor = photo_processor_class("LlavaOnevisionProcessor")(
        pixels, words, num_image_tokens=4, vision_feature_select_strategy="full"
    )
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**VISION, image_size=32, patch_size=16, vision_use_head=False),
        text_config=Qwen2Config(**TEXT, vocab_size=len(words) + 50, pad_token_id=0, eos_token_id=2),
        image_token_index=3,
        video_token_index=4,
        image_grid_pinpoints=grid,
    )
    return config, processor


def qwen2_5_vl() -> tuple[Any, Any]:
    special = [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
        "<|video_pad|>",
    ]
    words = tokenizer(
        special,
        CHATML.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    pixels = Qwen2VLImageProcessorPil(patch_size=4, size={"shortest_edge": 64, "longest_edge": 512})
    processor = photo_processor_class("Qwen2_5_VLProcessor")(pixels, words)
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    config = Qwen2_5_VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 4,
            "window_size": 16,
            "fullatt_block_indexes": [1],
        },
        text_config={
            **TEXT,
            "vocab_size": len(words) + 50,
            "rope_parameters": rope,
            "pad_token_id": 0,
            "eos_token_id": 2,
            "bos_token_id": None,
        },
        vision_start_token_id=3,
        vision_end_token_id=4,
        image_token_id=5,
        video_token_id=6,
        tie_word_embeddings=True,
    )
    return config, processor


def smolvlm() -> tuple[Any, Any]:
    processing_smolvlm.num2words = str  # a package that only videos need
    special = ["<|im_start|>", "<end_of_utterance>", "<pad>", "<image>", "<fake_token_around_image>", "<global-img>"]
    special += [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    words = tokenizer(special, SMOL, eos_token="<end_of_utterance>", pad_token="<pad>", bos_token="<|im_start|>")
    pixels = SmolVLMImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    processor = photo_processor_class("SmolVLMProcessor")(pixels, words, None, image_seq_len=4)
    config = SmolVLMConfig(
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        text_config=LlamaConfig(**TEXT, vocab_size=len(words) + 50, pad_token_id=2, eos_token_id=1),
        image_token_id=3,
        scale_factor=2,
        pad_token_id=2,
        tie_word_embeddings=True,
    )
    return config, processor


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "llava": llava,
    "llava_onevision": llava_onevision,
    "qwen2_5_vl": qwen2_5_vl,
    "smolvlm": smolvlm,
}
