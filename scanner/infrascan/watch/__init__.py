"""Looking again and again, and speaking only of what has changed.

`running.Watch` scans at fixed times and answers checks; `comparing` tells what became of each
finding, check and provider since the run before; `memory` keeps that across restarts, with the
notifications that are still to be delivered; `delivering` brings them to where they go.
"""
