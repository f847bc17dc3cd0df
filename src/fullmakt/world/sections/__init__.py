"""A section for each system that keeps a part of the world."""
