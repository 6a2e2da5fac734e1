"""What fails, tried: every single and double failure of a cluster simulated, and what follows from it."""
