"""Word of waiting jobs, carried to workers on many hosts by Procrastinate over PostgreSQL."""
