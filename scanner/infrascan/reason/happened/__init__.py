"""What each platform tells of its own past, as changes."""
