"""The data channels of an environment: labelled ConfigMaps, deployed, listed and removed."""
