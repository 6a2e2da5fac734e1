"""A configuration written as keepalived.conf: short, always the same, and read to the same model again.

What is as it would be anyway is left out. Of a file that keepalived would not run as it stands, what it would run is
written.
"""

from vrrp.config.writer.file import write

__all__ = ["write"]
