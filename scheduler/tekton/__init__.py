"""Jobs as Tekton runs, both directions, pure: what is created for a job, and what a run says about it."""
