"""Do coins fall on heads as often as they are said to? An experiment invented for the tests."""
