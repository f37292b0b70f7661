"""The namespaces of a platform where jobs run: named by its release's values, looked at in the cluster."""
