"""The WSDLs of onvif-zeep, read once: by ``warm`` before the processes of cameras are forked, which then share them.

A file of them loses the topic of every event (``TopicExpressionType`` in ``b-2.xsd``): it is corrected while it is
loaded. Nothing is ever loaded from elsewhere.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from edge_agent.driver import DriverError

USED: Final = ("devicemgmt.wsdl", "media.wsdl", "events.wsdl", "ptz.wsdl", "imaging.wsdl")

_TOPIC: Final = re.compile(
    rb'<xsd:complexType name="TopicExpressionType" mixed="true">.*?</xsd:complexType>', re.DOTALL
)
_TOPIC_AS_TEXT: Final = (
    b'<xsd:complexType name="TopicExpressionType"><xsd:simpleContent><xsd:extension base="xsd:string">'
    b'<xsd:attribute name="Dialect" type="xsd:anyURI"/><xsd:anyAttribute/>'
    b"</xsd:extension></xsd:simpleContent></xsd:complexType>"
)


@cache
def folder() -> Path:
    """Where the WSDLs are: beside the package, or where else its installer put them.

    Raises:
        DriverError: they were not installed.
    """
    try:
        files = distribution("onvif-zeep").files or ()
    except PackageNotFoundError:
        files = ()
    for file in files:
        if file.name == USED[0] and (path := Path(str(file.locate()))).is_file():
            return path.parent
    raise DriverError(
        "The WSDL files of onvif-zeep are not installed: install it into a virtual environment, without --target."
    )


@cache
def document(name: str) -> Any:
    """A WSDL as zeep understands it.

    Raises:
        DriverError: it is not there.
    """
    from zeep import Settings
    from zeep.transports import Transport
    from zeep.wsdl import Document

    class Disk(Transport):
        def load(self, url: str) -> bytes:
            path = Path(url)
            if "://" in url or not path.is_file():
                raise DriverError(f"The schema {path.name} is not on this computer.")
            return corrected(path.name, path.read_bytes())

    make: Any = Document  # zeep's constructors have no types
    disk: Any = Disk
    return make(str(folder() / name), disk(), settings=Settings(strict=False))


def corrected(name: str, content: bytes) -> bytes:
    """A schema in which a topic is text, whose dialect many cameras leave out."""
    return _TOPIC.sub(_TOPIC_AS_TEXT, content) if name == "b-2.xsd" else content


def warm() -> None:
    """Read all that a camera needs."""
    logging.getLogger().addHandler(logging.NullHandler())  # else onvif's import would set the root logger up
    import onvif  # noqa: F401

    for name in USED:
        document(name)
