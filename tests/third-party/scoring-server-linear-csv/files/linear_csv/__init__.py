"""A scoring server for linear models, written by somebody who knows the platform by its documents alone."""
