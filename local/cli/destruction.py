"""The commands that destroy stacks and stop the clouds. Each works in one home."""

from collections.abc import Sequence

from pulumi import automation as auto

from local.cli import clouds, engine, stack_files
from local.cli.engine_output import shown
from local.cli.engine_runs import side_by_side
from local.cli.home import Home, LocalError
from ops.stack import project_key
from ops.terminal import say_aside


def destroy(home: Home, names: Sequence[str], *, wait: bool = False, verbose: bool = False) -> None:
    """Destroys the stacks with the engine; the clouds and the other stacks stay up.

    With `wait`, waits for another command that is at work.

    If a command, an engine or a plugin was killed, the content of the clouds is unknown, so this stops them, with all
    stacks.
    """
    names = stack_files.known(names)
    with home.exclusive(wait=wait):
        clouds.required(home)
        if engine.has_lost_track(home):
            _end(home)
            say_aside(f"{engine.CUT_OFF}: the laptop's clouds are gone, with all stacks")
        else:
            _destroy(home, [engine.one_that_is_up(home, name) for name in names], verbose)


def down(home: Home, *, verbose: bool = False) -> None:
    """Destroys all stacks with the engine, then ends the clouds."""
    with home.exclusive():
        daemon = clouds.usable(home)
        if daemon and not engine.has_lost_track(home):
            _destroy(home, engine.stacks_up(home), verbose)
        _end(home)
        say_aside("the laptop's clouds are gone" if daemon else "the laptop's clouds were not running")


def _end(home: Home) -> None:
    clouds.stop(home)
    home.forget()


def _destroy(home: Home, stacks: list[auto.Stack], verbose: bool) -> None:
    """Raises LocalError, before anything is deleted, if the state of one of the stacks has protected resources."""
    if protected := [stack.name for stack in stacks if engine.is_protected(home, stack.name)]:
        files = ", ".join(f"Pulumi.{name}.yaml" for name in protected)
        way = f"set {project_key('environment')} to development in {files}, `make up STACK='{' '.join(protected)}'`"
        raise LocalError(f"nothing was deleted, {', '.join(protected)} protected: {way}, then try again")

    def take_down(stack: auto.Stack) -> None:
        with engine.changing(home, stack), shown(home, stack, verbose=verbose) as arguments:
            stack.destroy(remove=True, **arguments)

    side_by_side(home, stacks, "destroy", take_down)
