"""The grammar of each tool, as tables. A tool's module is imported when one of its commands is read."""
