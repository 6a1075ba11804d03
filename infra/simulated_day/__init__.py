"""One market day on one machine: run, checked against the simulator's own ledger, and shown."""
