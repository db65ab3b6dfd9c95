"""The ten digits as class names."""

DIGITS = DIGITS_ES = tuple("0123456789")
