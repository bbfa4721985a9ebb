"""What do kernels, weights and features do while networks of Sec. 3.3 train? Table 1.1, eq. 2.41."""
