"""What comes in and what goes out: the models that validate and describe every route."""
