"""Sources of daily bars on the network, each over the library that speaks with it; only this room imports those."""
