"""Tensor mathematics without a task: optimisers, operation counts, random streams, label-free measures."""
