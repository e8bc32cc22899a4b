"""Synthetic data: procedural normal photos, harmless variation, defect synthesizers. Loads no torch."""
