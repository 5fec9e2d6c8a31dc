"""What Ctrl-C at a terminal does to the command, and who waits for whom when a stack stops."""

import os
import pty
import re
import select
import signal
import sys
import time

import pytest

from tests.stack.launcher import clean_environment, free_port, launch, processes_of, run, stack_command, wait_until

LISTENER = """
import signal, time
for number in (1, 2, 15):
    signal.signal(number, lambda got, _: print("GOT", got, flush=True))
print("LISTENING", flush=True)
for _ in range({tenths}):
    time.sleep(0.1)
"""
SLOW_END = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(3), sys.exit(0)))
print("ENV {}", flush=True)
time.sleep(90)
"""
APP = (sys.executable, "-c", SLOW_END)


class Terminal:
    """A stack at a terminal of its own."""

    def __init__(self, clone, *flags, command):
        words = stack_command(clone, "--ephemeral", *flags, "--", *command)
        env = clean_environment(PORT=str(free_port()))
        self.shown = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, env)

    def read_until(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(self.shown)
            self.shown += os.read(self.terminal, 4096).decode()

    def type(self, text):
        os.write(self.terminal, text)

    def end(self):
        try:
            while data := os.read(self.terminal, 4096):
                self.shown += data.decode()
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.parametrize(("flags", "told"), [(("--app",), "GOT 15"), ((), "GOT 2")])
def test_interrupt_reaches_the_command_once_and_as_it_likes_it(clone, flags, told):
    stack = Terminal(clone, *flags, command=(sys.executable, "-c", LISTENER.format(tenths=20)))
    stack.read_until("LISTENING")
    stack.type(b"\x03")
    assert stack.end() == 0
    assert re.findall(r"GOT \d+", stack.shown) == [told]
    assert wait_until(lambda: not processes_of(clone))


def test_second_interrupt_ends_an_app_that_does_not_hurry(clone):
    stack = Terminal(clone, "--app", command=(sys.executable, "-c", LISTENER.format(tenths=900)))
    stack.read_until("LISTENING")
    stack.type(b"\x03")
    stack.read_until("GOT 15")
    stack.type(b"\x03")
    assert stack.end() == 137
    assert wait_until(lambda: not processes_of(clone))


def test_command_reads_what_is_typed(clone):
    stack = Terminal(clone, command=(sys.executable, "-c", "print('READ', input('name? '))"))
    stack.read_until("name? ")
    stack.type(b"Ada\n")
    assert stack.end() == 0
    assert "READ Ada" in stack.shown


def test_start_waits_for_a_stack_that_is_stopping(clone):
    stack = launch(clone, "--app", command=APP, extra={"PORT": str(free_port())})
    stack.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    ended = run(clone, "--", "echo", "started afresh")
    assert ended.returncode == 0, ended.stderr
    assert "waiting for it" in ended.stdout
    assert "started afresh" in ended.stdout
    assert stack.process.wait(timeout=10) == 0
