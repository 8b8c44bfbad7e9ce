"""Visits to the clinics: who is booked, who is reminded, who comes."""
