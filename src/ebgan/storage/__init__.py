"""Files on the disk: written whole or not at all, locked, and refused by name where the disk refuses."""
