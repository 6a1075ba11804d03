"""Whether anything may be traded, and by which configuration."""
