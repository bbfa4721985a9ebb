"""Does training on the same task again help, and which tasks help another? Karakida and Akaho (2022)."""
