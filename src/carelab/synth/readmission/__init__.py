"""Stays in the three hospitals: who is admitted, with what, and who comes back within 30 days."""
