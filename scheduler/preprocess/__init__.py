"""From a checked ScoringPipeline to one Helm values document: pure, and equal to the byte for equal input."""
