"""The edges between resources, as the tables of their kinds declare them."""

from infrascan.graph.link import link

__all__ = ["link"]
