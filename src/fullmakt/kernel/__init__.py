"""Values that every system shares: identifiers, time, traces, decisions. Standard library only, no I/O."""
