import pytest
import torch

from assistant.prompt_learner import PromptLearner, grid_of


@pytest.fixture
def learner() -> PromptLearner:
    torch.manual_seed(0)
    return PromptLearner(d_model=32)


@pytest.mark.parametrize("size", [(16, 16), (48, 48), (60, 200), (481, 333)])
def test_any_size_gives_n_embeddings(learner, size):
    assert learner(torch.rand(2, *size)).shape == (2, 9, 32)


@pytest.mark.parametrize(
    ("tokens", "grid"), [(1, (1, 1)), (4, (2, 2)), (6, (2, 3)), (7, (1, 7)), (9, (3, 3)), (16, (4, 4))]
)
def test_the_grid_has_a_cell_for_each_token(tokens, grid):
    assert grid_of(tokens) == grid
    assert PromptLearner(d_model=8, num_tokens=tokens)(torch.rand(1, 50, 70)).shape == (1, tokens, 8)


def test_gradient_reaches_every_parameter_and_the_map(learner):
    maps = torch.rand(2, 64, 64, requires_grad=True)
    learner(maps).square().sum().backward()
    assert maps.grad.abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.parameters())


@pytest.mark.parametrize("cell", range(9))
def test_a_blob_changes_the_token_of_its_cell_most(learner, cell):
    row, column = divmod(cell, 3)
    blob = torch.zeros(1, 150, 210)
    blob[:, 50 * row + 15 : 50 * row + 35, 70 * column + 20 : 70 * column + 50] = 1
    change = (learner(blob) - learner(torch.zeros_like(blob))).norm(dim=-1)[0]
    assert change.argmax() == cell


def test_a_peak_of_one_pixel_is_not_averaged_away(learner):
    empty, peak = torch.zeros(1, 512, 512), torch.zeros(1, 512, 512)
    peak[0, 250, 250] = 1
    wide = torch.zeros(1, 512, 512)
    wide[0, 230:270, 230:270] = 1
    seen, most = ((learner(maps) - learner(empty)).norm(dim=-1).max() for maps in (peak, wide))
    assert seen > 0.1 * most


def test_bfloat16_gives_nearly_the_same(learner):
    maps = torch.rand(1, 100, 100)
    exact = learner(maps)
    rough = learner.to(torch.bfloat16)(maps)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, atol=0.02, rtol=0.05)
