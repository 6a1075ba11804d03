"""The operator's command line; a command imports what it needs when it is called, so help is fast."""
