"""From trained weights to the shipped file: ONNX, rewritten, quantized, verified."""
