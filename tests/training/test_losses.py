"""The contract of every loss on anomaly maps, and what sets each apart."""

import pytest
import torch
from torch import Tensor

from training.config import MAP_LOSSES
from training.losses import LOSSES, MapLoss


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> MapLoss:
    return LOSSES[request.param]


def two_photos() -> Tensor:
    """(2, 16, 16): one photo with a defect, one good."""
    target = torch.zeros(2, 16, 16)
    target[0, 4:8, 5:9] = 1
    return target


def test_every_loss_can_be_named_in_a_configuration():
    assert tuple(LOSSES) == MAP_LOSSES


def test_the_loss_falls_as_the_map_becomes_right(loss):
    target = two_photos()
    right = 2 * target - 1
    losses = [loss(sharpness * right, target).item() for sharpness in (-8, -2, 0, 2, 8)]
    assert losses == sorted(losses, reverse=True) and losses[0] - losses[-1] > 0.5


def test_a_defect_found_and_a_false_alarm_both_count(loss):
    target = two_photos()
    blind, alarmed = torch.full_like(target, -6), 6 * (2 * target - 1)
    alarmed[1, :4, :4] = 6
    best = loss(6 * (2 * target - 1), target)
    assert loss(blind, target) > best and loss(alarmed, target) > best


@pytest.mark.parametrize("level", [-90.0, 0.0, 90.0])
def test_good_photos_and_any_logit_give_a_finite_loss_with_a_gradient(loss, level):
    for target in (torch.zeros(2, 8, 8), two_photos(), torch.ones(1, 8, 8)):
        logits = torch.full_like(target, level, requires_grad=True)
        value = loss(logits, target)
        value.backward()
        assert torch.isfinite(value) and logits.grad is not None and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("target", [torch.zeros(2, 8, 8), two_photos()])
def test_learning_by_the_loss_alone_draws_the_map(loss, target):
    logits = torch.zeros_like(target, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(60):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()
    assert torch.equal(logits > 0, target > 0)


def test_anomalygpts_loss_by_hand():
    """Focal: -(1 - p)^2 log p of the true class; Dice: -sum(p y) / (sum p^2 + sum y^2), one photo of two pixels."""
    p = torch.tensor([0.8, 0.4])
    focal = -(0.2**2 * torch.log(p[0]) + 0.4**2 * torch.log(1 - p[1])) / 2
    dice = -0.8 / (0.8**2 + 0.4**2 + 1)
    found = LOSSES["anomalygpt"](torch.logit(p).view(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
    torch.testing.assert_close(found, focal + dice)
