"""Events of the voice and SMS providers: whose they are, what they say, and what is done about them."""
