"""What Ctrl-C at a terminal does to the command, and who waits for whom when a stack stops."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.stack.launcher import clean_environment, free_port, launch, processes_of, stack_command, wait_until

# Ends so many seconds after it has heard something.
LISTENER = """
import signal, time
heard = []
for number in (1, 2, 15):
    signal.signal(number, lambda got, _: (print("GOT", got, flush=True), heard.append(got)))
print("LISTENING", flush=True)
while not heard:
    time.sleep(0.1)
time.sleep({seconds})
"""
# Does not end before there is a file of that name.
SLOW_END = """
import os, signal, sys, time
def end(*_):
    print("ENDING", flush=True)
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ENV {}", flush=True)
time.sleep(90)
"""


class Terminal:
    """A stack at a terminal of its own."""

    def __init__(self, clone, *flags, command):
        words = stack_command(clone, "--ephemeral", *flags, "--", *command)
        env = clean_environment(PORT=str(free_port()))
        self.shown = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, env)

    def read_until(self, text, seconds=60):
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
    stack = Terminal(clone, *flags, command=(sys.executable, "-c", LISTENER.format(seconds=1)))
    stack.read_until("LISTENING")
    stack.type(b"\x03")
    assert stack.end() == 0
    assert re.findall(r"GOT \d+", stack.shown) == [told]
    assert wait_until(lambda: not processes_of(clone))


def test_second_interrupt_ends_an_app_that_does_not_hurry(clone):
    stack = Terminal(clone, "--app", command=(sys.executable, "-c", LISTENER.format(seconds=90)))
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
    may_end = clone / "may-end"
    app = (sys.executable, "-c", SLOW_END, str(may_end))
    stack = launch(clone, "--app", command=app, extra={"PORT": str(free_port())})
    stack.process.send_signal(signal.SIGTERM)
    assert "ENDING\n" in stack.process.stdout
    again = subprocess.Popen(
        stack_command(clone, "--", "echo", "started afresh"),
        env=clean_environment(LOCAL_SUPABASE_PORT=str(free_port()), LOCAL_DATABASE_PORT=str(free_port())),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert any("waiting for it" in line for line in again.stdout)
    may_end.touch()
    assert "started afresh\n" in again.stdout
    assert (again.wait(timeout=60), stack.process.wait(timeout=60)) == (0, 0)
