"""What is no test of this tree."""

collect_ignore = ["recipes"]  # what test_recipes.py adds to a copy of the tree, and runs there
