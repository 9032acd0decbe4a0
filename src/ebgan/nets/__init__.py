"""Nets and their specs: they know images and codes, nothing of energy or loss."""
