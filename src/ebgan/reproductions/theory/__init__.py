"""What the papers prove, measured."""
