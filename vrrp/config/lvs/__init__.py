"""The side of keepalived.conf that is for IPVS: virtual servers, real servers, their checkers."""
