"""The helm program: one port, the program behind it, and a fake."""
