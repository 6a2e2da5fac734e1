"""A HAProxy of the simulation: its checks, its choice of servers, its cookies; all of it without sockets and clocks."""
