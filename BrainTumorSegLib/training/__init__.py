"""Training: recipes, losses, loop and checkpoints."""
