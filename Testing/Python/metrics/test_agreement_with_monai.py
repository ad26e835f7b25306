"""The same numbers as MONAI (a development dependency) wherever it defines them: on masks that are not empty."""

import numpy as np
import pytest

from BrainTumorSegLib.metrics.overlap import dice, iou
from BrainTumorSegLib.metrics.surface import assd, hd95, nsd

monai_metrics = pytest.importorskip("monai.metrics", reason="MONAI is not installed; it is only needed to cross-check the metrics")
torch = pytest.importorskip("torch")

SHAPES = {"volume": ((14, 20, 17), (3.0, 0.9, 1.1)), "picture": ((40, 33), (1.0, 1.0)), "slice": ((40, 33), (0.5, 0.7))}


def blob(rng, shape):
    """A smooth random shape with islands and holes, touching the edges of the array here and there."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.normal(size=shape), 2)
    return field > np.quantile(field, rng.uniform(0.5, 0.97))


def as_batch(mask):
    return torch.from_numpy(mask)[None, None]


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("seed", range(8))
def test_random_blobs_score_as_in_monai(kind, seed):
    shape, spacing = SHAPES[kind]
    rng = np.random.default_rng(seed)
    prediction, reference = blob(rng, shape), blob(rng, shape)
    pair = as_batch(prediction), as_batch(reference)
    options = {"include_background": True, "spacing": spacing}
    expected = {
        "dice": monai_metrics.compute_dice(*pair),
        "iou": monai_metrics.compute_iou(*pair),
        "hd95": monai_metrics.compute_hausdorff_distance(*pair, percentile=95, **options),
        "assd": monai_metrics.compute_average_surface_distance(*pair, symmetric=True, **options),
        "nsd": monai_metrics.compute_surface_dice(*pair, class_thresholds=[1.0], **options),
    }
    ours = {
        "dice": dice(prediction, reference),
        "iou": iou(prediction, reference),
        "hd95": hd95(prediction, reference, spacing),
        "assd": assd(prediction, reference, spacing),
        "nsd": nsd(prediction, reference, spacing, tolerance_mm=1.0),
    }
    assert ours == pytest.approx({key: float(value) for key, value in expected.items()}, abs=1e-4)
