"""The load balancer's core beside the real HAProxy."""
