"""Virtual servers for real: what IPVS is told, and who is told of failures."""
