"""The rows of the league: one file each, or one for a few of a kind."""
