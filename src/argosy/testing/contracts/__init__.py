"""What every engine, provider and store promises, as test classes to inherit from."""
