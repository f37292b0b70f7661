"""Scoring jobs on Kubernetes, through Tekton and Helm."""

__version__ = "0.2.0"
