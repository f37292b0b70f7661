"""The scheduling server as its callers see it: the CLI, and any server that starts jobs for somebody."""
