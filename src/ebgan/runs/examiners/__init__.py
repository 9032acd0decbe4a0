"""What a run in training looks like from outside: pictures and metrics, for each kind of data."""
