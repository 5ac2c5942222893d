"""What IAM says of a request: who may do what, by which policy. Pure functions: no API, no state, no network."""
