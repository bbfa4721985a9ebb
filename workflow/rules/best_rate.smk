# Each parametrization at its own best learning rate.
