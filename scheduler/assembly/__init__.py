"""The chart that a job installs, made from the sub-charts that the platform's chart depends on."""
