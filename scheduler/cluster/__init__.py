"""The Kubernetes API: a port, the real client behind it, a fake that keeps the same contract, and a watch cache."""
