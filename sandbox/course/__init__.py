"""Labs: what they are, where they are found, and what their lessons and checks are made of."""
