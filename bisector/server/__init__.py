"""The service over HTTP: an API, hooks for alerts, and pages. It takes orders and shows answers; it never measures,
builds, or holds an engine's socket."""
