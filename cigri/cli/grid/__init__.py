"""The commands of CiGri 3, with its options and its output: thin, over `cigri.client`.

What they refuse ends with the exit codes of `cigri`; CiGri 3 ended with 0 whatever happened.
"""
