#!/bin/sh
# HAProxy itself answers /alive: this says nothing of the servers behind it.
curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1:8081/alive || exit 1
