"""What happens to media: one module per kind of job, with its parameters, its result and its failures."""
