"""The REST interface: routes by noun, one error handler, and the guard in front of everything the server serves."""
