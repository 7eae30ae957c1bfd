"""How targets are told: one module a kind."""
