"""How long do bottlenecks keep the loss where it is? What eq. 3.5, violated at step 1, costs."""
