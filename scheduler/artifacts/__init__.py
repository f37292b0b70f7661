"""Artifacts by digest and revisions of pipelines: the files they live in, and the client of their server."""
