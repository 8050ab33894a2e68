"""Made-up trips, for trying, testing and measuring."""
