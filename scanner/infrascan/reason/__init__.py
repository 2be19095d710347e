"""Deep research without a model: what connects what the rules found, and what proves it."""
