"""The trading domain: pure values and functions; instants, ids and chance are passed in, nothing here does I/O."""
