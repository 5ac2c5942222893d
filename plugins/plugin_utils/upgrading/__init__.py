"""Another version of a database's engine: which one, on a copy first, and for how long nobody is answered."""
