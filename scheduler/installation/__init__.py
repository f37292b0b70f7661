"""The steps of an installation, as pods of the cluster run them: build images, deploy the servers, start, remove."""
