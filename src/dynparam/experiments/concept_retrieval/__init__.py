"""Does repeated inference in a variational autoencoder end at a concept? Nagano and others (2020)."""
