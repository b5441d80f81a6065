import gc
import signal

# Importing Pulumi takes half a second, in which Ctrl-C must not print a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

gc.disable()  # the SDKs' million objects are no garbage, and looking through them takes longer than the imports

from local.cli.main import main  # noqa: E402

main()
