"""Runs the command lines of AWS and SAM in a process that has loaded them before.

Usage: resident.py serve SOCKET MODULE ...      until standard input ends
       resident.py ask SOCKET PROGRAM ARGUMENT ...

A command line loads its code for most of a second of processor time, and these tests start one a
thousand times. The server loads its modules once and forks for each call, with the arguments, the
environment, the folder and the open files of the caller. A caller that is killed takes its call
with it, and the exit status is that of the program.

SAM reads the template five times, in Python a second each; here libyaml reads it, which comes with
the same package and makes the same of it.
"""

import array
import json
import os
import select
import signal
import socket
import sys

LENGTH_BYTES = 8
FILES = (0, 1, 2)


def ask(path, program, *arguments):
    call = json.dumps([program, arguments, dict(os.environ), os.getcwd()]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        files = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", FILES))
        connection.sendmsg([len(call).to_bytes(LENGTH_BYTES, "big")], [files])
        connection.sendall(call)
        status = connection.recv(1)
    # Without a status the server is gone.
    sys.exit(status[0] if status else 255)


def serve(path, *modules):
    import yaml  # not there for whoever asks, who starts without packages

    yaml.SafeLoader = yaml.CSafeLoader
    for module in modules:
        __import__(module)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    # Those who answer are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready and not os.read(0, 1):
            return
        if listener in ready:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(connection)
                os._exit(0)
            connection.close()


def answer(connection):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size = array.array("i").itemsize * len(FILES)
    head, control, _, _ = connection.recvmsg(LENGTH_BYTES, socket.CMSG_LEN(size))
    files = array.array("i")
    files.frombytes(control[0][2][:size])
    length = int.from_bytes(head, "big")
    call = b""
    while len(call) < length:
        part = connection.recv(length - len(call))
        if not part:
            return
        call += part
    child = os.fork()
    if child == 0:
        connection.close()
        run(files, *json.loads(call))
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, connection], [], [])
    if ended not in ready:
        os.kill(child, signal.SIGKILL)
        return
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(bytes([code if code >= 0 else 128 - code]))


def run(files, program, arguments, environment, folder):
    """Becomes the program; never returns."""
    import runpy
    import time

    code = 1
    try:
        for standard, file in zip(FILES, files):
            os.dup2(file, standard)
            if file not in FILES:
                os.close(file)
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        # awscli says by this one where its data lies, once it is loaded.
        data = {name: os.environ[name] for name in ("AWS_DATA_PATH",) if name in os.environ}
        os.environ.clear()
        os.environ.update({**data, **environment})
        time.tzset()
        os.chdir(folder)
        sys.argv = [program, *arguments]
        runpy.run_path(program, run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass
        os._exit(code & 0xFF)


if __name__ == "__main__":
    {"ask": ask, "serve": serve}[sys.argv[1]](*sys.argv[2:])
