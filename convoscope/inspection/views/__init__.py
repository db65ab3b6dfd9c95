"""One view a file; each registers itself with `convoscope.runs.views`."""
