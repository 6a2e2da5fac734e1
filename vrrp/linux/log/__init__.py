"""What a daemon writes down: in keepalived's phrases for people and their rules, as JSON for programs."""
