"""The three programs of a job's run: `install`, `wait` and `uninstall`. Each may run twice, and may be killed."""
