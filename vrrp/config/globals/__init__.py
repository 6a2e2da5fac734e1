"""The global_defs block."""
