# Weight decay and the size of updates in training.
