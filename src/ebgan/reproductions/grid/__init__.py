"""The grid search of the EBGAN paper (table 1, figures 2 to 4) and its margins (figure 9)."""
