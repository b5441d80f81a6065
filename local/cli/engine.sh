#!/bin/sh
# Runs the engine, $PULUMI_COMMAND, for engine.py.
#
# The engine and its plugins hold engine.lock, so that the next command can wait for them. The terminal's Ctrl-C does not
# reach them, because the command that started this passes it on. They end when that command is killed.
#
# The SDK would skip the preview, in which the engine compares the program with a plan before anything changes.
case " $* " in
  *" --plan "*) for argument; do shift; [ "$argument" = --skip-preview ] || set -- "$@" "$argument"; done ;;
esac
exec 9>>"$BETTER_TOGETHER_HOME/engine.lock"
flock --shared 9
echo $$ >&9
exec setsid setpriv --pdeathsig INT "$PULUMI_COMMAND" "$@"
