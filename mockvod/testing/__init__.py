"""What test code imports."""
