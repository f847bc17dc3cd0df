"""Fuzz targets, to be run for as long as one likes: ``make fuzz``."""
