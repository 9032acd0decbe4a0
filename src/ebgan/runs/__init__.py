"""A run: made, loaded and looked at."""
