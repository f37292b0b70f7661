"""Callers by the tokens of an OpenID Connect issuer, beside those of Kubernetes."""
