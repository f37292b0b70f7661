"""One module a noun; each translates HTTP and nothing else."""
