"""What does softmax make of the Fisher eigenvalues that stand out? Karakida and others (2021)."""
