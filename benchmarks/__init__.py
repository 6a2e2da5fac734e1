"""Measured against others on the same work, in the same run: `python -m benchmarks`. No part of the package."""
