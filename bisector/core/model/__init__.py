"""What is known: frozen values, from the request to every fact the world answered."""
