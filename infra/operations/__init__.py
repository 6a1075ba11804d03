"""The owner's hand on a desk: look at it, stop it, let it go on, from outside its functions."""
