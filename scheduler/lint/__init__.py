"""Whether the engine would take a compiled flow: a port, its real thing and its fake."""
