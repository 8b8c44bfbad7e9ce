"""The one kind of error a person is meant to read."""


class UserError(Exception):
    """Something the reader can mend: its message is one sentence that says what to do.

    The command prints the sentence and exits with 2; a notebook shows it in the place of a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows for this exception, line by line."""
        return [str(self)]
