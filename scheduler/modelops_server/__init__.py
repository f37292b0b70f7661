"""The modelops server: the artifact store and the revisions of pipelines, over HTTP."""
