"""Does the largest eigenvalue of the Fisher information grow with width, and what takes it away?"""
