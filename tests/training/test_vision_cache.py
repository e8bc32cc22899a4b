"""A frozen tower looks once at each photo, whatever batches it comes in, and the loss is the same."""

import numpy as np
import pytest
import torch
from PIL import Image

from assistant.lvlm.backbones import backbone_of
from assistant.lvlm.checkpoint import load
from assistant.lvlm.vision_cache import cache_vision
from tests.assistant.lvlm_families import FAMILIES


@pytest.fixture(params=FAMILIES)
def family(request, base_of):
    model, processor = load(base_of(request.param))
    tower = model.lvlm.get_submodule(backbone_of(request.param).vision_tower).requires_grad_(False)
    return model.train(), processor, tower


def batch(processor, *seeds: int):
    sizes = [(40, 36), (70, 30), (33, 33), (30, 60)]  # of several grids, tiles and numbers of patches
    photos = []
    for seed in seeds:
        pixels = np.random.default_rng(seed).integers(0, 255, (*sizes[seed], 3), dtype=np.uint8)
        photos.append(Image.fromarray(pixels))
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": "Where?"}]
    messages = [{"role": "user", "content": items}, {"role": "assistant", "content": "Top left."}]
    return processor([messages] * len(seeds), photos, [np.eye(30)] * len(seeds), labels=True)


def test_the_loss_is_the_same_and_photos_are_seen_once(family):
    model, processor, tower = family
    batches = [batch(processor, *seeds) for seeds in ((0, 1), (1, 0), (2, 1), (0, 0), (3, 2))]
    plain = [model(**one).loss for one in batches]
    cache = cache_vision(tower)
    for one, expected in zip(batches, plain, strict=True):
        loss = model(**one, num_items_in_batch=(one["labels"][:, 1:] >= 0).sum()).loss
        torch.testing.assert_close(loss, expected)
    loss.backward()
    assert model.prompt_learner.base_embeddings.grad.abs().sum() > 0
    seen, held = cache.misses, cache.bytes
    for one in batches:
        model(**one)
    assert cache.misses == seen and cache.bytes == held > 0


def test_what_is_kept_is_bounded(family):
    model, processor, tower = family
    cache = cache_vision(tower, limit=1)
    expected = model(**batch(processor, 0, 1)).loss
    torch.testing.assert_close(model(**batch(processor, 0, 1)).loss, expected)
    assert cache.bytes == 0
