"""Do local receptive fields make a wide network robust? Re-creation of Watanabe and others (2023)."""
