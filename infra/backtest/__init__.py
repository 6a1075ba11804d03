"""Market days played in one process: the decisions, limits and exits of the live system, without messages and HTTP."""
