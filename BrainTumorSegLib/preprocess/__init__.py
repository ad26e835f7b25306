"""What a network sees of an image, in training and at a hospital alike, and the way back."""
