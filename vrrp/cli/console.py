"""rich's console, as a well-behaved end of a pipe."""

from __future__ import annotations

from rich.console import Console


class PipeConsole(Console):
    """A console that lets the reader's leaving be known instead of exiting with status 1."""

    def on_broken_pipe(self) -> None:
        """Called by rich within the handler of the error."""
        raise BrokenPipeError
