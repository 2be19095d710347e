"""Reading platforms with a plain REST API: tables, one client, one way to page."""
