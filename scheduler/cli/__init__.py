"""The command `modelops`: one module a noun, talking to the servers over HTTP and to nothing else of a cluster."""
