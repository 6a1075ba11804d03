"""What never ships: the simulated broker, the one-machine cloud, provisioning and the command line."""
