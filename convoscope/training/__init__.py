"""The training loop, recipes, schedules and optimizers."""
