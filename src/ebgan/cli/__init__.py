"""The command line: one file a verb, each short; torch is imported only by the verbs that need it."""
