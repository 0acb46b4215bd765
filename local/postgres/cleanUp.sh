#!/bin/sh
# Usage: cleanUp.sh FOLDER < pipe
#
# Stops the PostgreSQL that runs in FOLDER and removes FOLDER as soon as standard input ends. The other
# end of the pipe belongs to the Node.js process that started PostgreSQL. So this happens however that
# process ends, even by kill -9, when none of its own code can run any more.
set -u
folder=$1

while read -r _; do :; done

# PostgreSQL keeps its process number in this file, also after a restart, and removes it when it has
# stopped. A server in single-user mode (initdb) writes the number as a negative one.
server() { head -n 1 "$folder/data/postmaster.pid" 2>/dev/null | tr -d -; }

tries=0
while pid=$(server) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
  if [ "$tries" -lt 50 ]; then kill -INT "$pid"; else kill -QUIT "$pid"; fi 2>/dev/null
  tries=$((tries + 1))
  sleep 0.1
done

# initdb may still be at work and put a file back, which the second try removes.
rm -rf "$folder" 2>/dev/null || { sleep 1; rm -rf "$folder"; }
