"""Builds the container images that the sub-charts declare, in the order they ask for, and only what is not there."""
