"""The exercises, one topic of the lecture a file: each registers itself, and no list is edited anywhere."""
