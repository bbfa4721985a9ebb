"""What does a Boltzmann machine made of attention learn, and how fast? Ota and Karakida (2023)."""
