"""Measurements, printed as ratios from one run: `make bench`, or `python -m bench world`."""
