#!/bin/sh
# Runs the engine, $PULUMI_COMMAND, for engine.py.
#
# The engine and the plugins that it starts hold engine.lock, so that the next command can wait for them. Ctrl-C in the
# terminal does not reach them, because the command that started this passes it on; they end when that command is killed.
exec 9>>"$BETTER_TOGETHER_HOME/engine.lock"
flock --shared 9
echo $$ >&9
exec setsid setpriv --pdeathsig INT "$PULUMI_COMMAND" "$@"
