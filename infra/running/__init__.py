"""The whole graph in real processes on one machine: what `strategy up` runs."""
