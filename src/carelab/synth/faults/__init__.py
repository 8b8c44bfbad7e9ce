"""Resources with one thing wrong, to test a checker on."""
