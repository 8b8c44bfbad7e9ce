"""Attacks on the grader: what they are, and what becomes of them in ours and in nbgrader's own."""
