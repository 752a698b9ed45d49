"""What the help page says: the words of the product, how to read its pages, its rules and its calls."""
