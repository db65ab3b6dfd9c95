"""The run folder: config, curves, checkpoints, environment, metrics, weights; safetensors and JSON, never pickle."""

from convoscope.runs.run import Run

__all__ = ["Run"]
