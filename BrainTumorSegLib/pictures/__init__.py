"""Pictures made of volumes and segmentations."""
