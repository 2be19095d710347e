"""Questions about now, each answered by a few reads: pods, logs, spend, containers, states.

A lookup takes the open connections, reads live, and answers in typed values with the keys of the
resources they are about. What could not be read is in `gaps`, and then the answer is not whole.
"""
