"""The modelops server: the artifact store, the revisions of pipelines, and their jobs, over HTTP."""
