"""Stands first on PATH as `gcloud` and hands its call to gcloudServer.py, whose socket lies beside its folder.

It imports nothing that takes time: it is started hundreds of times. The request is its length in bytes, a
line end, and then, each ended by NUL: the folder, the number of arguments, the arguments, the environment.
"""

import _socket
import posix
import sys

connection = _socket.socket(_socket.AF_UNIX)
connection.connect(sys.argv[0].rpartition('/')[0] + '/../socket')
environment = [name + b'=' + value for name, value in posix.environ.items()]
arguments = [word.encode('utf-8', 'surrogateescape') for word in sys.argv[1:]]
fields = [posix.getcwdb(), b'%d' % len(arguments), *arguments, *environment]
body = b''.join(field + b'\0' for field in fields)
data = b'%d\n' % len(body) + body
streams = b''.join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
sent = connection.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
connection.sendall(data[sent:])
status = connection.recv(16)
sys.exit(int(status) if status else 1)
