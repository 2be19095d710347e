"""infrascan: read every cloud you have, and say what it costs, exposes and risks."""

__version__ = "0.1.0"
