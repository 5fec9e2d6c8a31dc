"""Every PostgREST query of the program: one module per noun, the organisation first."""
