"""What the four papers report, row by row, beside which ours stand; sources in the recipes' docstrings."""

from __future__ import annotations

from BrainTumorSegLib.bench.published import PAPER_A as PAPER_A

TITLES = {
    "paper-a": "A. Res-UNet with attention and quantization (Aprianto & Riana 2025, doi:10.21512/commit.v19i2.13177)",
    "paper-b": "B. Hybrid U-Net with transformer bottleneck and efficient attention (Ali et al. 2025)",
    "paper-c": "C. ResSE-LKA-UNet (IIETA 2026)",
    "paper-d": "D. UNet + CBAM (Pan)",
}

# variant -> row, Dice, IoU, precision, recall
PAPER_B = {
    "unet": ("U-Net baseline", 0.7190, 0.6818, 0.95, 0.94),
    "transformer": ("+ transformer bottleneck", 0.7286, 0.7018, 0.96, 0.95),
    "hybrid": ("full hybrid", 0.7636, 0.7357, 0.9736, 0.9756),
}

CLASSES_C = ("NCR", "ED", "ET")
ROWS_C = {"unet": "U-Net", "attention-unet": "Attention U-Net", "resse-lka": "ResSE-LKA-UNet"}
# class -> Dice in %, its deviation, HD95 in mm, its deviation; of ResSE-LKA-UNet, mean of five folds
PAPER_C = {"NCR": (85.72, 3.81, 4.38, 1.34), "ED": (78.62, 4.58, 7.50, 1.62), "ET": (82.56, 3.53, 6.08, 1.11)}
# fold -> (Dice in % of NCR, ED, ET), (HD95 in mm)
PAPER_C_FOLDS = {
    1: ((82.10, 74.20, 79.40), (2.40, 5.10, 4.20)),
    2: ((90.30, 84.60, 86.50), (5.80, 9.20, 7.10)),
    3: ((85.60, 78.30, 83.10), (3.90, 6.80, 5.90)),
    4: ((81.70, 73.90, 78.60), (5.20, 8.50, 6.40)),
    5: ((88.90, 82.10, 85.20), (4.60, 7.90, 6.80)),
}
# its case -> variant -> Dice of NCR, ED, ET; None where the class is absent from the reference
PAPER_C_LARGE = {
    "060": {"unet": (0.921, 0.300, 0.922), "attention-unet": (0.872, 0.323, 0.905), "resse-lka": (0.944, 0.327, 0.953)},
    "070": {"unet": (0.970, 0.626, 0.947), "attention-unet": (0.944, 0.631, 0.938), "resse-lka": (0.967, 0.771, 0.947)},
    "080": {"unet": (0.964, 0.754, 0.966), "attention-unet": (0.914, 0.739, 0.939), "resse-lka": (0.952, 0.781, 0.952)},
}
PAPER_C_SMALL = {
    "051": {"unet": (0.0, 0.0, 0.0), "attention-unet": (0.0, 0.171, 0.583), "resse-lka": (0.0, 0.158, 0.801)},
    "090": {"unet": (0.0, 0.492, 0.0), "attention-unet": (0.0, 0.506, 0.116), "resse-lka": (0.0, 0.590, 0.759)},
    "079": {"unet": (0.0, 0.0, 0.0), "attention-unet": (0.0, 0.0, 0.0), "resse-lka": (0.0, 0.0, 0.902)},
    "106": {"unet": (0.0, 0.0, None), "attention-unet": (0.0, 0.514, None), "resse-lka": (0.0, 0.781, None)},
    "108": {"unet": (0.0, 0.0, None), "attention-unet": (0.0, 0.527, None), "resse-lka": (0.0, 0.861, None)},
}

# variant -> row, Dice, IoU
PAPER_D = {
    "unet": ("UNet base", 0.915, 0.854),
    "deeplabv3": ("DeepLabV3", 0.924, 0.866),
    "pspnet": ("PSPNet", 0.920, 0.861),
    "ma-net": ("MA-Net", 0.928, 0.873),
    "cbam": ("UNet + CBAM", 0.936, 0.882),
}
