"""Timing of models and volumes, beside what else could be used. What needs torch or onnx imports it inside its functions."""
