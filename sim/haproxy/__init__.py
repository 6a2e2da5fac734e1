"""A HAProxy of the simulation: checks, choice of servers, cookies; all of it without sockets and clocks."""
