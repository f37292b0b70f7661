"""The scheduling server: jobs, plans and data channels over HTTP."""
