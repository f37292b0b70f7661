"""Scoring servers: models behind the Open Inference Protocol V2, with missing values and single bad rows."""
