"""System A's table of quantization, as its paper reports it; ours is measured and stands beside it.

Aprianto & Riana, CommIT Journal 19(2), 293-314, 2025, doi:10.21512/commit.v19i2.13177. Mean IoU is taken to be Keras's
BinaryIoU; DRQ is TensorFlow Lite's dynamic range quantization.
"""

from __future__ import annotations

# (row, variant, precision of the file) -> mean IoU, size in MB, seconds an image on a Tesla M10
PAPER_A = {
    ("Res-UNet", "none", "fp32"): (0.8322, 126.49, 0.3143),
    ("Res-UNet DRQ", "none", "dynamic"): (0.8317, 32.19, 0.1973),
    ("+ AG", "ag", "fp32"): (0.8455, 127.21, 0.3131),
    ("+ AG DRQ", "ag", "dynamic"): (0.8451, 32.39, 0.2055),
    ("+ SE", "se", "fp32"): (0.8406, 127.09, 0.3171),
    ("+ SE DRQ", "se", "dynamic"): (0.8384, 32.38, 0.1996),
    ("+ CBAM", "cbam", "fp32"): (0.8359, 128.82, 0.3245),
    ("+ CBAM DRQ", "cbam", "dynamic"): (0.8286, 32.88, 0.2045),
}
