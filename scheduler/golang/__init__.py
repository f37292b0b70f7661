"""The Go compiler: which one there is, bringing one, and the environment that every build of ours has."""
