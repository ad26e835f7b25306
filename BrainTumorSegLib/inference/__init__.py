"""From volumes to probabilities with onnxruntime; knows nothing of torch or of training."""
