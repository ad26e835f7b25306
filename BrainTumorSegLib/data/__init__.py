"""Training sets: readers, patient-wise folds and augmentation."""
