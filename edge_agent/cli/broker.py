"""``edge-agent broker``: the embedded broker, for trials."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_agent.cli.console import Exit, console, end_by_signals, errors
from edge_agent.simulate.broker import EmbeddedBroker, EmbeddedBrokerError


def broker(
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="For MQTT 5; 0 takes a free one.")] = 1883,
    port_311: Annotated[
        int | None, typer.Option("--port-311", min=0, max=65535, help="For MQTT 3.1.1; by default the next port.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets everybody on the network in, without a password.")
    ] = "127.0.0.1",
) -> None:
    """Run a broker for a trial until Ctrl-C. It keeps nothing on disk: in the field, use mosquitto.

    Exit codes: 0 ended by Ctrl-C, 2 wrong arguments, 3 it cannot run (a port is taken, or iotcore is not installed).

    Examples:

      edge-agent broker

      edge-agent broker --port 11883

      mosquitto_sub -V 5 -t 'blo/#' -v
    """
    end_by_signals()
    try:
        with EmbeddedBroker(port, port_311, host) as running:
            console.print(f"MQTT 5 on {host}:{running.port}, MQTT 3.1.1 on {host}:{running.port_311}. Ctrl-C ends it.")
            running.wait()
            errors.print("edge-agent broker: it ended by itself")
    except EmbeddedBrokerError as error:
        errors.print(f"edge-agent broker: {error}")
    except KeyboardInterrupt:
        return
    raise typer.Exit(Exit.UNREACHABLE)
