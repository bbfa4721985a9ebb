"""From which r on do updates of size m^r make gradients grow? Sec. 2.3.2, eqs. 2.54-2.67."""
