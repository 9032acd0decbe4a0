"""Files on the disk: atomic writes, locks, and clear errors if the disk is full or unwritable."""
