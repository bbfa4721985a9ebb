"""What network does the thesis train? Fig. 3.1."""
