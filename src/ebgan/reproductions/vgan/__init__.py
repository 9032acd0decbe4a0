"""The tables and figures of VGAN and variational contrastive divergence."""
