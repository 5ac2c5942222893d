"""Replacing hosts: the order of it, and what AWS shows."""
