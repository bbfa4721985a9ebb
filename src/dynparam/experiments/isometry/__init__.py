"""Does the Fisher information of one input grow linearly with depth? Hayase and Karakida (2021)."""
