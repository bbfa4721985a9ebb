"""Do approximate natural gradients train a wide network as the exact one? Karakida, Osawa (2020)."""
