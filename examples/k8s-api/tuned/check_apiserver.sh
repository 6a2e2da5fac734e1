#!/bin/sh
# This node's HAProxy, which answers /alive itself, and this node's API server, on its own port: no other node's.
curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1:8081/alive || exit 1
curl --silent --fail --max-time 1 --insecure --output /dev/null https://localhost:6443/healthz || exit 1
