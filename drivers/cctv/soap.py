"""ONVIF services of one camera through onvif-zeep, with what that package leaves open closed.

What onvif-zeep 0.2.12 does by itself, and what is done about it here:

* ``ONVIFCamera()`` creates a subscription that nobody ends, and sends the password's digest to whatever address the
  camera reports. Its ``ONVIFService`` is used alone, at the path that the camera reports and the host that we know.
* The topic of every event is lost, and each service of each camera reads the schemas anew: see ``schemas``.
* It waits for ever by default: all goes through ``Peer``, which does not.
* It makes every error the same ``ONVIFError``: the one behind it is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from drivers.cctv import schemas
from drivers.cctv.http import Account, Peer, RefusedError, Reply
from edge_agent.driver import DriverError

DEVICE_PATH: Final = "/onvif/device_service"
MANAGER: Final = "{http://www.onvif.org/ver10/events/wsdl}SubscriptionManagerBinding"
_NOT_AUTHORIZED: Final = ("notauthorized", "not authorized", "failedauthentication", "unauthorized")


class FaultError(DriverError):
    """The camera answered with a fault, or with something that is no answer to what was asked."""


class Session:
    """One camera's services. Not for several threads.

    Attributes:
        offset: the camera's clock less ours.
        paths: where each service is, by its name in onvif-zeep (``media``, ``ptz``, ``events``, ``imaging`` ...).

    """

    def __init__(self, peer: Peer, account: Account | None) -> None:
        """Ask the camera for its clock and its services.

        Raises:
            UnreachableError: it does not answer.
            RefusedError: it does not accept the account.
            FaultError: it answers nonsense.
        """
        schemas.warm()
        self.peer = peer
        self._account = account
        self._clients: dict[str, Any] = {}
        self.paths = {"devicemgmt": DEVICE_PATH}
        self.offset = timedelta(0)
        self.offset = self._measure_offset()
        self._clients.clear()
        self.paths |= self._discover()

    def has(self, service: str) -> bool:
        """Whether the camera has a service."""
        return service in self.paths

    def call(self, service: str, operation: str, /, **parameters: Any) -> Any:
        """What an operation of a service answers.

        Raises:
            UnreachableError: no answer in time.
            RefusedError: not with this account.
            FaultError: a fault, or the camera does not have the service.
        """
        path = self.paths.get(service)
        if path is None:
            raise FaultError(f"The camera at {self.peer} has no service {service}.")
        return self.at(path, service, operation, **parameters)

    def at(
        self,
        path: str,
        service: str,
        operation: str,
        /,
        *,
        binding: str = "",
        extra: float = 0.0,
        headers: Iterable[Any] = (),
        **parameters: Any,
    ) -> Any:
        """``call`` at a path of its own; ``extra`` seconds are added where the camera may wait."""
        from onvif.exceptions import ONVIFError

        arguments = {**parameters, **({"_soapheaders": list(headers)} if headers else {})}
        try:
            client = self._service(path, service, binding)
            client.zeep_client.transport.extra = extra
            return getattr(client, operation)(arguments)
        except ONVIFError as error:
            raise self._told(operation, error.__context__ or error) from None

    def _service(self, path: str, name: str, binding: str) -> Any:
        from onvif import ONVIFService
        from onvif.definition import SERVICES
        from zeep import Client

        known = SERVICES[name]
        client = self._clients.get(name)
        if client is None:
            document = schemas.document(known["wsdl"])
            make: Any = Client  # without types
            client = make(document, wsse=self._token(), transport=_transport(self.peer), settings=document.settings)
            self._clients[name] = client
        return ONVIFService(
            f"http://{self.peer}{path}",
            None,
            None,
            str(schemas.folder() / known["wsdl"]),
            binding_name=binding or f"{{{known['ns']}}}{known['binding']}",
            zeep_client=client,
        )

    def _token(self) -> Any:
        if self._account is None:
            return None
        from onvif.client import UsernameDigestTokenDtDiff

        return UsernameDigestTokenDtDiff(
            self._account.user, self._account.password(), dt_diff=self.offset, use_digest=True, zulu_timestamp=True
        )

    def _measure_offset(self) -> timedelta:
        """The camera's clock less ours, asked without an account, as ONVIF wants it; with one where it insists."""
        account, self._account = self._account, None
        try:
            answer = self.call("devicemgmt", "GetSystemDateAndTime")
        except RefusedError:
            self._account = account
            self._clients.clear()
            answer = self.call("devicemgmt", "GetSystemDateAndTime")
        finally:
            self._account = account
        try:
            date, time = answer.UTCDateTime.Date, answer.UTCDateTime.Time
            theirs = datetime(date.Year, date.Month, date.Day, time.Hour, time.Minute, min(time.Second, 59), tzinfo=UTC)
        except (AttributeError, TypeError, ValueError):  # optional, and some cameras count months from 0
            return timedelta(0)
        return theirs + timedelta(seconds=0.5) - datetime.now(UTC)  # it tells whole seconds

    def _discover(self) -> dict[str, str]:
        """The path of each service: by GetServices, on old cameras by GetCapabilities."""
        from onvif.definition import SERVICES

        names = {known["ns"]: name for name, known in SERVICES.items() if name != "pullpoint"}
        try:
            services = self.call("devicemgmt", "GetServices", IncludeCapability=False) or []
            found = {str(entry.Namespace): entry.XAddr for entry in services}
        except FaultError:
            capabilities = self.call("devicemgmt", "GetCapabilities", Category="All")
            entries = {str(name).lower(): capabilities[name] for name in capabilities or ()}
            found = {
                known["ns"]: entries[name].XAddr
                for name, known in SERVICES.items()
                if getattr(entries.get(name), "XAddr", None)
            }
        return {names[space]: path_of(address) for space, address in found.items() if space in names and address}

    def _told(self, operation: str, error: BaseException) -> DriverError:
        """What went wrong, without quoting more of the camera's words than the reason of a fault."""
        from zeep.exceptions import Fault, TransportError

        match error:
            case DriverError():
                return error
            case Fault():
                codes = [str(error.code), *(str(getattr(code, "localname", code)) for code in error.subcodes or ())]
                said = _plain(str(error.message))
                if any(word in text.lower() for text in (*codes, said) for word in _NOT_AUTHORIZED):
                    return self._refused()
                return FaultError(f"The camera at {self.peer} answers {operation} with a fault: {said}.")
            case TransportError(status_code=401 | 403):
                return self._refused()
            case TransportError(status_code=int(status)) if status not in {0, 200}:
                return FaultError(f"The camera at {self.peer} answers {operation} with HTTP status {status}.")
            case _:
                return FaultError(
                    f"The camera at {self.peer} answers {operation} with something else ({type(error).__name__})."
                )

    def _refused(self) -> RefusedError:
        if self._account is None:
            return RefusedError(f"The camera at {self.peer} wants an account: give user and password.")
        return RefusedError(
            f"The camera at {self.peer} refuses the account {self._account.user}: look at user and password, and at "
            f"the camera's clock, which is {describe_offset(self.offset)}."
        )


def describe_offset(offset: timedelta) -> str:
    """``3 s ahead``."""
    seconds = round(offset.total_seconds())
    return "right" if abs(seconds) <= 1 else f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


def path_of(address: str) -> str:
    """The path, with its query, of an address that a camera reports; its host may be one that only the camera knows."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise FaultError("The camera reports an address that is none.") from None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _plain(text: str) -> str:
    """A reason as one short line of printable characters."""
    return re.sub(r"\s+", " ", "".join(character if character.isprintable() else " " for character in text)).strip()[
        :120
    ]


def _transport(peer: Peer) -> Any:
    """How zeep reaches one camera, and nobody else."""
    from zeep.transports import Transport

    class _Transport(Transport):
        extra = 0.0

        def post(self, address: str, message: bytes, headers: dict[str, str]) -> Reply:
            return peer.request("POST", path_of(address), message, dict(headers), extra=self.extra)

    return _Transport()  # type: ignore[no-untyped-call]  # zeep's own constructor has no types
