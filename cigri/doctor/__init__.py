"""What `cigri doctor` looks at."""
