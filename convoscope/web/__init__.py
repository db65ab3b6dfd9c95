"""The page and its REST interface."""
