"""The trading rules: values and pure functions; instants, ids and chance are passed in."""
