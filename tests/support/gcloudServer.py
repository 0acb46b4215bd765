"""Runs the real gcloud many times without paying for its start each time.

Starting gcloud takes most of a second, nearly all of it spent on importing, and on building the parser of
the command. This process does that once for each command, and then forks for each call: the same code, the
same parser, the same HTTP calls, in a process of its own with the caller's arguments, folder, environment
and standard streams.

    python gcloudServer.py SDK_ROOT SOCKET

gcloudCall.py makes the calls.
"""

import importlib
import os
import signal
import socket
import sys
import time

# What most commands import in the end; one that is not there in this version is imported late.
HEAVY = [
    'apitools.base.py.list_pager',
    'google.auth._cloud_sdk',
    'google.auth.transport.requests',
    'google.oauth2.challenges',
    'google.oauth2.reauth',
    'google.oauth2.service_account',
    'netrc',
    'proto',
    'requests',
    'googlecloudsdk.api_lib.functions.v2.util',
    'googlecloudsdk.api_lib.monitoring.policies',
    'googlecloudsdk.api_lib.scheduler',
    'googlecloudsdk.api_lib.secrets.api',
    'googlecloudsdk.command_lib.functions.v2.deploy.command',
    'googlecloudsdk.command_lib.iam.iam_util',
    'googlecloudsdk.command_lib.monitoring.util',
    'googlecloudsdk.command_lib.run.serverless_operations',
    'googlecloudsdk.core.credentials.p12_service_account',
    'googlecloudsdk.core.credentials.transports',
    'googlecloudsdk.core.resource.resource_printer',
    'googlecloudsdk.generated_clients.apis.cloudbuild.v1.cloudbuild_v1_client',
    'googlecloudsdk.generated_clients.apis.cloudbuild.v1.cloudbuild_v1_messages',
    'googlecloudsdk.generated_clients.apis.cloudfunctions.v2.cloudfunctions_v2_client',
    'googlecloudsdk.generated_clients.apis.iam.v1.iam_v1_client',
    'googlecloudsdk.generated_clients.apis.run.v1.run_v1_client',
    'googlecloudsdk.generated_clients.apis.serviceusage.v1.serviceusage_v1_client',
    'googlecloudsdk.generated_clients.apis.serviceusage.v1.serviceusage_v1_messages',
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
    cli = main.CreateCLI([])
    while True:
        connection, _ = server.accept()
        arguments, folder, environment, streams = read(connection)
        load(cli, arguments)
        if os.fork() == 0:
            server.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ['gcloud', *arguments]
            answer(lambda: main.main(gcloud_cli=cli), connection)
        for stream in streams:
            os.close(stream)
        connection.close()


# The modules and the parser of the command that these words begin with, for this call and later ones.
def load(cli, words):
    element = cli._TopElement()
    try:
        for word in words:
            if word.startswith('-') or element is None:
                return
            element = element.LoadSubElement(word.replace('-', '_'))
    except Exception:
        pass  # The call itself says what is wrong.


# As gcloudCall.py sends it.
def read(connection):
    data, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    length, _, body = data.partition(b'\n')
    while len(body) < int(length):
        body += connection.recv(1 << 20)
    folder, count, *rest = [os.fsdecode(field) for field in body.split(b'\0')[:-1]]
    environment = dict(field.split('=', 1) for field in rest[int(count) :])
    return rest[: int(count)], folder, environment, streams


def answer(run, connection):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        run()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(b'%d\n' % status)
        os._exit(status)


if __name__ == '__main__':
    serve(*sys.argv[1:])
