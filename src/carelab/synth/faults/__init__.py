"""Sound resources, and the same ones corrupted in known ways: what a checker is graded on."""
