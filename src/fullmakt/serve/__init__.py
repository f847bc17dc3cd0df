"""Settings, wiring, and which systems run in this process."""
