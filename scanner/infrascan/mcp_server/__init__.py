"""The door for agents: the Model Context Protocol over stdio and HTTP, on trio.

`mcp` is imported only inside this package.
"""
