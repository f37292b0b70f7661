"""The intermediate representation: documents in; a checked ScoringPipeline, or every problem, out."""
