"""One market day on one machine: runs it, checks it against the simulator's own ledger, and shows what happened."""
