"""What a running daemon tells of itself: to `vrrp status`, to browsers, to Prometheus, to systemd."""
