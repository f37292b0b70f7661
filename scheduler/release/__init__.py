"""What a job installs: seeing what of it is there, and removing it until nothing is left."""
