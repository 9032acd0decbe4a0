"""Few labels: table 2, figure 10 and the ablations of the Ladder network."""
