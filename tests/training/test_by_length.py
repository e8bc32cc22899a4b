"""Rows grouped by length: all of them, once each, the same whatever the order of asking."""

from typing import Any

import numpy as np
import pytest

from training.by_length import STEPS, ByLength, text_length

BATCH = 4
SIZE = STEPS * BATCH


class Numbers:
    """Rows of random lengths; counts how often each was measured."""

    def __init__(self) -> None:
        self.measured: list[int] = []

    def __len__(self) -> int:
        return 10 * SIZE

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"index": index}

    def length(self, index: int) -> int:
        self.measured.append(index)
        return self.true_length(index)

    def true_length(self, index: int) -> int:
        return int(np.random.default_rng(index).integers(80, 460))


def test_every_row_comes_once_among_those_of_its_length():
    rows = Numbers()
    order = [ByLength(rows, BATCH, seed=0)[i]["index"] for i in range(SIZE)]
    assert sorted(order) == list(range(SIZE))
    lengths = np.array([rows.true_length(i) for i in order]).reshape(STEPS, BATCH)
    plain = np.array([rows.true_length(i) for i in range(SIZE)]).reshape(STEPS, BATCH)

    def padding(steps: np.ndarray) -> float:
        return 1 - float(steps.sum() / (steps.max(axis=1) * BATCH).sum())

    assert padding(lengths) < 0.1 < 0.25 < padding(plain)
    means = lengths.mean(axis=1)
    assert not np.array_equal(means, np.sort(means)), "no step is longer than the one before for that alone"


def test_row_i_is_the_same_whatever_was_asked_before():
    forth = ByLength(Numbers(), BATCH, seed=3)
    there = [forth[i] for i in range(3 * SIZE)]
    back = ByLength(Numbers(), BATCH, seed=3)
    assert [back[i] for i in reversed(range(3 * SIZE))] == there[::-1]
    other = ByLength(Numbers(), BATCH, seed=4)
    assert [other[i] for i in range(SIZE)] != there[:SIZE]


@pytest.mark.parametrize(("workers", "processes"), [(1, 1), (3, 1), (2, 2)])
def test_each_worker_measures_its_own_rows_alone(workers: int, processes: int):
    lanes = workers * processes
    shared = ByLength(Numbers(), BATCH, seed=3, lanes=lanes)
    every = [shared[i]["index"] for i in range(2 * lanes * SIZE)]
    assert sorted(every) == list(range(2 * lanes * SIZE))
    measured = []
    for lane in range(lanes):  # as a loader hands out the steps, in turn
        mine = ByLength(rows := Numbers(), BATCH, seed=3, lanes=lanes)
        steps = [range(step * BATCH, (step + 1) * BATCH) for step in range(lane, 2 * lanes * STEPS, lanes)]
        assert all(mine[i]["index"] == every[i] for step in steps for i in step)
        measured += rows.measured
    assert sorted(measured) == list(range(3 * lanes * SIZE)), "none twice, with the window ahead"


def test_the_next_steps_are_measured_bit_by_bit_and_nothing_twice():
    rows = Numbers()
    grouped = ByLength(rows, BATCH, seed=0)
    seen = []
    for i in range(3 * SIZE):
        before = len(rows.measured)
        grouped[i]
        seen.append(len(rows.measured) - before)
    assert seen[0] == SIZE + 1 and set(seen[1:]) == {1}
    assert sorted(rows.measured) == list(range(4 * SIZE))


def test_the_length_of_a_text_leaves_out_what_is_none():
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": "Where?"}]
    assert text_length([{"role": "user", "content": items}, {"role": "assistant", "content": "There."}]) == 12
