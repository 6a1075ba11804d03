"""The scan: a tick each second, votes, signals, and exits for what is held."""
