"""Grade a notebook the way nbgrader does, and explain the result."""
