"""The tables and figures of the VGAN paper, including variational contrastive divergence."""
