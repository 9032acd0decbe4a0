"""The step, the loop, optimisers, the moving average of the generator, and checkpoints."""
