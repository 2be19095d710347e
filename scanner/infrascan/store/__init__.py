"""Scans on disk: written once, read by anyone, compared, and asked in SQL.

Nothing here renders, and nothing here calls a provider.
"""
