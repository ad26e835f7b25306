from BrainTumorSegLib.metrics.contract import BRATS_PENALTY_MM, WHEN_EMPTY, status_of


def test_the_status_names_which_of_the_two_masks_is_empty():
    assert status_of(3, 5) == "ok"
    assert status_of(0, 0) == "both empty"
    assert status_of(0, 5) == "missed"
    assert status_of(3, 0) == "false positive"


def test_every_status_but_ok_has_its_scores():
    assert set(WHEN_EMPTY) == {"both empty", "missed", "false positive"}


def test_the_brats_penalty_is_the_diagonal_of_its_grid():
    # sqrt(240^2 + 240^2 + 155^2) = sqrt(139225) = 373.1..., which BraTS rounds up
    assert BRATS_PENALTY_MM - 1 < (240**2 + 240**2 + 155**2) ** 0.5 < BRATS_PENALTY_MM
