"""Frozen values that travel between the parts; invariants only, no input or output."""
