"""The grid search of the EBGAN paper and its margins."""
