"""The use cases: one public function each, the order of effects and nothing else."""
