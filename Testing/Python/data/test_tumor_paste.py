"""A pasted tumor lies in the brain, looks beside it as it looked in its own head, and is refused where it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.data.tumor_paste import find_place, paste_tumor

SIZE = 224
Y, X = np.mgrid[:SIZE, :SIZE]


def head(gray: float = 1.0, radius: float = 80.0) -> np.ndarray:
    """A disc of one gray in air."""
    return (gray * (np.hypot(Y - 112, X - 112) < radius)).astype(np.float32)


def donor(ratio: float = 1.5, side: int = 20, gray: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """A head with a square tumor in its middle, where no turn moves it, `ratio` times as bright."""
    mask = np.zeros((SIZE, SIZE), bool)
    begin = (SIZE - side) // 2
    mask[begin : begin + side, begin : begin + side] = True
    image = head(gray)
    image[mask] *= ratio
    return image, mask


def drawn(image: np.ndarray, seeds: range, **changes: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    place = find_place(image)
    results = (paste_tumor(image, place, *donor(**changes), np.random.default_rng(seed)) for seed in seeds)
    return [result for result in results if result is not None]


def test_the_tumor_is_as_bright_beside_its_new_surroundings_as_it_was_beside_the_old_ones() -> None:
    image = head()
    results = drawn(image, range(40))
    assert len(results) > 20
    for pasted, carved, tumor in results:
        assert 0.85 * 400 <= tumor.sum() <= 400  # all of it, or nearly: what would reach into the scalp is cut off
        assert (np.hypot(Y - 112, X - 112)[carved] < 80).all()
        assert not (tumor & ~carved).any()
        assert np.array_equal(pasted[~carved], image[~carved])
        assert np.median(pasted[tumor]) == pytest.approx(1.5, abs=0.01)  # 0.9 in the donor became 1.0 here
        assert np.median(pasted[carved & ~tumor]) == pytest.approx(1.0, abs=0.01) if (carved & ~tumor).any() else True


def test_it_may_come_to_lie_anywhere() -> None:
    centers = np.array([np.argwhere(tumor).mean(0) for _, _, tumor in drawn(head(), range(60))]) - 112
    for down in (True, False):
        for right in (True, False):
            assert ((centers[:, 0] > 10) == down).any() and ((centers[:, 1] > 10) == right).any()
    assert np.ptp(centers, axis=0).min() > 60


def test_the_same_numbers_put_it_into_the_same_place() -> None:
    one, two = (paste_tumor(head(), find_place(head()), *donor(), np.random.default_rng(3)) for _ in range(2))
    assert one is not None and two is not None
    assert all(np.array_equal(a, b) for a, b in zip(one, two))


@pytest.mark.parametrize(
    ("image", "changes"),
    [
        (np.zeros((SIZE, SIZE), np.float32), {}),  # no head
        (head(radius=20.0), {}),  # all of it scalp
        ((head() * (1 + 0.8 * ((Y // 2 + X // 2) % 2))).astype(np.float32), {}),  # no even brain
        (head(), {"ratio": 1.05}),  # nobody sees it
        (head(), {"ratio": 3.0}),  # no tumor is as bright
        (head(), {"side": 4}),  # 16 pixels
        (head(radius=60.0), {"side": 70}),  # half of the brain
        (head(gray=2.5), {}),  # another scanner's world: 2.8 times as bright
    ],
)
def test_what_does_not_fit_is_not_pasted(image: np.ndarray, changes: dict[str, float]) -> None:
    assert not drawn(image, range(12), **changes)
