"""The seams to the outside systems: protocols of domain verbs, and the APIs that implement them."""
