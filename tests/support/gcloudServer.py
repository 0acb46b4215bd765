"""Runs the real gcloud many times without paying for its start each time.

Starting gcloud takes most of a second, nearly all of it spent on importing. This process imports it
once and then forks for each command: the same code, the same parser, the same HTTP calls, in a
process of its own with the caller's arguments, folder, environment and standard streams.

    python gcloudServer.py serve SDK_ROOT SOCKET
    python gcloudServer.py call SOCKET argument...
"""

import importlib
import json
import os
import signal
import socket
import sys
import time

# What most commands import in the end; one that is not there in this version is imported late.
HEAVY = [
    'apitools.base.py.list_pager',
    'google.auth.transport.requests',
    'google.oauth2.service_account',
    'requests',
    'googlecloudsdk.api_lib.functions.v2.util',
    'googlecloudsdk.api_lib.monitoring.policies',
    'googlecloudsdk.api_lib.scheduler',
    'googlecloudsdk.api_lib.secrets.api',
    'googlecloudsdk.command_lib.functions.v2.deploy.command',
    'googlecloudsdk.command_lib.iam.iam_util',
    'googlecloudsdk.command_lib.monitoring.util',
    'googlecloudsdk.command_lib.run.serverless_operations',
    'googlecloudsdk.core.credentials.transports',
    'googlecloudsdk.core.resource.resource_printer',
]


def serve(root, path):
    sys.path[:0] = [os.path.join(root, 'lib', 'third_party'), os.path.join(root, 'lib')]
    main = importlib.import_module('googlecloudsdk.gcloud_main')
    for name in HEAVY:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    # Between two looks at an operation gcloud sleeps for seconds; the fake has finished long before.
    time.sleep = lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.02))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            answer(main, connection)
        connection.close()


def answer(main, connection):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not data.endswith(b'\n'):
        data += connection.recv(1 << 20)
    request = json.loads(data)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(request['folder'])
    os.environ.clear()
    os.environ.update(request['environment'])
    sys.argv = ['gcloud', *request['arguments']]
    status = 1
    try:
        main.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(b'%d\n' % status)
        os._exit(status)


def call(path, *arguments):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    request = {'arguments': arguments, 'folder': os.getcwd(), 'environment': dict(os.environ)}
    data = json.dumps(request).encode() + b'\n'
    sent = socket.send_fds(connection, [data], [0, 1, 2])
    connection.sendall(data[sent:])
    status = connection.recv(16)
    sys.exit(int(status) if status else 1)


if __name__ == '__main__':
    {'serve': serve, 'call': call}[sys.argv[1]](*sys.argv[2:])
