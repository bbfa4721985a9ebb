"""What do weight decay and the exponent r change in training? Eqs. 2.12 and 2.67."""
