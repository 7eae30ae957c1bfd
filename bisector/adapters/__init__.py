"""One outside thing each; they never import one another. Only `bisector.wiring` names them."""
