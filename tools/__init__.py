"""What the people of the project run by hand, and no installation needs."""
