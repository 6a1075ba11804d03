"""What every function ships: the domain, the use cases and the adapters around them."""
