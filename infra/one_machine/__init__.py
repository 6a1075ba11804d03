"""The one-machine cloud: a seeded kernel, a store, a bus, a vault, a scheduler and the world made of them."""
