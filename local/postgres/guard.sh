#!/bin/sh
# Usage: guard.sh FOLDER < pipe
#
# Stops the PostgreSQL that runs in FOLDER and removes FOLDER as soon as standard input ends. The
# pipe's other end belongs to the Node.js process that started PostgreSQL, so this happens however
# that process ends, kill -9 included, when no code of its own can run any more.
set -u
folder=$1

while read -r _; do :; done

# The lock file is the server's own: it goes away when the server has stopped, and it names the
# server of the moment after a restart. A server in single-user mode writes its number as negative.
server() { head -n 1 "$folder/data/postmaster.pid" 2>/dev/null | tr -d -; }

tries=0
while pid=$(server) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
  if [ "$tries" -lt 50 ]; then kill -INT "$pid"; else kill -QUIT "$pid"; fi 2>/dev/null
  tries=$((tries + 1))
  sleep 0.1
done

# initdb may be at work still and put a file back: a second try then finds it gone.
rm -rf "$folder" 2>/dev/null || { sleep 1; rm -rf "$folder"; }
