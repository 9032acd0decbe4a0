"""The command line, with one file per verb; only verbs that need torch import it."""
