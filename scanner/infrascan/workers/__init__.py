"""Reading with more than one core: providers shared out among processes."""
