"""The training loop, recipes, schedules and optimizers; devices and processes through Lightning Fabric."""

from convoscope.training.launch import train

__all__ = ["train"]
