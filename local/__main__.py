import signal

# Importing Pulumi takes half a second, in which Ctrl-C must not print a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from local.cli.main import main  # noqa: E402

main()
