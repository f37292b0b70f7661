"""The flow runner: Bento under a thin program that knows when a flow may start and whether its result is complete."""
