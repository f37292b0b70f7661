"""What executes a model: one module a model type behind one small port."""
