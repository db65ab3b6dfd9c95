"""Data sets, the folder reader, splits, batches and augmentation."""
