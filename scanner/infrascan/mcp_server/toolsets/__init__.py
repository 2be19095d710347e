"""The tools, one module for each group. Each has `add(door)`."""
