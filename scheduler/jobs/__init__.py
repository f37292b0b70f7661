"""What can be done with jobs: one use case a file, each a sentence over ports and pure values."""
