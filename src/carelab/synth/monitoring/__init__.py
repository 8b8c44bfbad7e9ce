"""The monthly log of a model in use, with what changes around it."""
