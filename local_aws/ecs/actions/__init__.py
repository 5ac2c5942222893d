"""The actions of the ECS API, a module a kind of resource: request in, answer out."""
