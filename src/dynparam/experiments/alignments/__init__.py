"""How much does each layer lower the loss as the network widens? Figs. 3.2 and 3.3, eq. 3.5."""
