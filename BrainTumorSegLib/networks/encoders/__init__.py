"""Encoders that can start from ImageNet weights."""
