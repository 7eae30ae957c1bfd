"""Text or bytes in, core values out. Pure."""
