"""Networks in PyTorch: the workshop's side of the house, never imported at inference."""
