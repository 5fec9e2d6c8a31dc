"""What the program tells whoever runs it."""
