"""Reading every provider at once, within limits, with every failure kept as a gap."""
