"""Kubernetes, read through each context's API server."""
