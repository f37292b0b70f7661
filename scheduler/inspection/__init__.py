"""Whether a cluster has what modelops needs: looked at from outside, judged, and told with costs and remedies."""
