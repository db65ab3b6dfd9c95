"""What every room shares: specs, the registry, errors, and the message catalogue in Spanish and English."""
