"""What EC2's security groups let through, as rules for the network of each part (parts/security_groups.py)."""
