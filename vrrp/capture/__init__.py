"""Captures: packets in files."""
