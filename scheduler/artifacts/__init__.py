"""Artifacts by digest and revisions of pipelines: where they are kept, and the client of their server."""
