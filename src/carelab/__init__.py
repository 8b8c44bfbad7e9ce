"""carelab: the library behind the notebooks of the course and the `carelab` command."""
