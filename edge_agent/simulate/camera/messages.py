"""What the simulated camera says: SOAP 1.2 envelopes by the WSDLs of ONVIF and by WS-BaseNotification 1.3."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape, quoteattr

SPACES: Final = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "ter": "http://www.onvif.org/ver10/error",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "tns1": "http://www.onvif.org/ver10/topics",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wsa5": "http://www.w3.org/2005/08/addressing",
}
SOAP: Final = f"{{{SPACES['env']}}}"
TEV: Final = f"{{{SPACES['tev']}}}"
TPTZ: Final = f"{{{SPACES['tptz']}}}"
WSNT: Final = f"{{{SPACES['wsnt']}}}"
_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity"
WSSE: Final = f"{{{_OASIS}-secext-1.0.xsd}}"
WSU: Final = f"{{{_OASIS}-utility-1.0.xsd}}"

_DECLARED: Final = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
_PATHS: Final = {
    "tds": "/onvif/device_service",
    "trt": "/onvif/media",
    "tev": "/onvif/events",
    "tptz": "/onvif/ptz",
    "timg": "/onvif/imaging",
}
_GENERIC: Final = "http://www.onvif.org/ver10/tptz"

Answer = tuple[int, str]
"""HTTP status and envelope."""


def envelope(body: str, status: int = 200) -> Answer:
    """A SOAP 1.2 envelope."""
    return status, (
        f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope {_DECLARED}><env:Body>{body}</env:Body></env:Envelope>'
    )


def fault(code: str, subcode: str, reason: str) -> Answer:
    """A fault: ``Sender`` where the caller is to blame, else ``Receiver``."""
    return envelope(
        f"<env:Fault><env:Code><env:Value>env:{code}</env:Value><env:Subcode><env:Value>ter:{subcode}</env:Value>"
        f'</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">{escape(reason)}</env:Text></env:Reason>'
        "</env:Fault>",
        400 if code == "Sender" else 500,
    )


def empty(space: str, operation: str) -> Answer:
    """The answer of an operation that returns nothing."""
    prefix = next(prefix for prefix, name in SPACES.items() if f"{{{name}}}" == space)
    return envelope(f"<{prefix}:{operation}Response/>")


def clock(now: datetime) -> Answer:
    """Of GetSystemDateAndTime."""
    return envelope(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
        f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
        "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def information() -> Answer:
    """Of GetDeviceInformation."""
    return envelope(
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>edge-agent</tds:Manufacturer><tds:Model>Simulated camera"
        "</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>1</tds:SerialNumber>"
        "<tds:HardwareId>none</tds:HardwareId></tds:GetDeviceInformationResponse>"
    )


def services(base: str) -> Answer:
    """Of GetServices."""
    entries = "".join(
        f"<tds:Service><tds:Namespace>{SPACES[prefix]}</tds:Namespace><tds:XAddr>{base}{path}</tds:XAddr><tds:Version>"
        "<tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for prefix, path in _PATHS.items()
    )
    return envelope(f"<tds:GetServicesResponse>{entries}</tds:GetServicesResponse>")


def capabilities(base: str) -> Answer:
    """Of GetCapabilities, for callers of before 2011."""
    return envelope(
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"<tt:Device><tt:XAddr>{base}{_PATHS['tds']}</tt:XAddr></tt:Device>"
        f"<tt:Events><tt:XAddr>{base}{_PATHS['tev']}</tt:XAddr>"
        "<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>"
        "<tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
        "<tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>"
        "</tt:Events>"
        f"<tt:Imaging><tt:XAddr>{base}{_PATHS['timg']}</tt:XAddr></tt:Imaging>"
        f"<tt:Media><tt:XAddr>{base}{_PATHS['trt']}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false"
        "</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP>"
        "</tt:StreamingCapabilities></tt:Media>"
        f"<tt:PTZ><tt:XAddr>{base}{_PATHS['tptz']}</tt:XAddr></tt:PTZ>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def profiles() -> Answer:
    """Of GetProfiles: 1280 x 720 and 640 x 360, H.264."""
    entries = "".join(
        f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
        '<tt:VideoSourceConfiguration token="source"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount>'
        '<tt:SourceToken>VideoSource_1</tt:SourceToken><tt:Bounds x="0" y="0" width="1280" height="720"/>'
        f'</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="{token}"><tt:Name>{token}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
        f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>"
        "15</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit>"
        "</tt:RateControl><tt:H264><tt:GovLength>15</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
        "<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
        '<tt:PTZConfiguration token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>node'
        "</tt:NodeToken></tt:PTZConfiguration></trt:Profiles>"
        for token, width, height in (("main", 1280, 720), ("sub", 640, 360))
    )
    return envelope(f"<trt:GetProfilesResponse>{entries}</trt:GetProfilesResponse>")


def uri(operation: str, address: str) -> Answer:
    """Of GetStreamUri and GetSnapshotUri."""
    return envelope(
        f"<trt:{operation}Response><trt:MediaUri><tt:Uri>{escape(address)}</tt:Uri><tt:InvalidAfterConnect>false"
        "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
        f"</trt:MediaUri></trt:{operation}Response>"
    )


def imaging() -> Answer:
    """Of GetImagingSettings: by day, in colour."""
    return envelope(
        "<timg:GetImagingSettingsResponse><timg:ImagingSettings><tt:Brightness>50</tt:Brightness><tt:Contrast>50"
        "</tt:Contrast><tt:Exposure><tt:Mode>AUTO</tt:Mode></tt:Exposure><tt:Focus><tt:AutoFocusMode>AUTO"
        "</tt:AutoFocusMode></tt:Focus><tt:IrCutFilter>ON</tt:IrCutFilter></timg:ImagingSettings>"
        "</timg:GetImagingSettingsResponse>"
    )


def _position(tag: str, at: tuple[float, float, float]) -> str:
    pan, tilt, zoom = at
    return (
        f'<tt:{tag}><tt:PanTilt x="{pan}" y="{tilt}" space="{_GENERIC}/PanTiltSpaces/PositionGenericSpace"/>'
        f'<tt:Zoom x="{zoom}" space="{_GENERIC}/ZoomSpaces/PositionGenericSpace"/></tt:{tag}>'
    )


def presets(known: Mapping[str, tuple[str, tuple[float, float, float]]]) -> Answer:
    """Of GetPresets."""
    entries = "".join(
        f"<tptz:Preset token={quoteattr(token)}><tt:Name>{escape(name)}</tt:Name>{_position('PTZPosition', at)}"
        "</tptz:Preset>"
        for token, (name, at) in known.items()
    )
    return envelope(f"<tptz:GetPresetsResponse>{entries}</tptz:GetPresetsResponse>")


def status(at: tuple[float, float, float], now: datetime) -> Answer:
    """Of GetStatus."""
    return envelope(
        f"<tptz:GetStatusResponse><tptz:PTZStatus>{_position('Position', at)}<tt:MoveStatus><tt:PanTilt>IDLE"
        f"</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus><tt:UtcTime>{_time(now)}</tt:UtcTime></tptz:PTZStatus>"
        "</tptz:GetStatusResponse>"
    )


def subscribed(address: str, now: datetime, lifetime: float) -> Answer:
    """Of CreatePullPointSubscription."""
    return envelope(
        "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
        f"<wsa5:Address>{escape(address)}</wsa5:Address></tev:SubscriptionReference>{_times(now, lifetime)}"
        "</tev:CreatePullPointSubscriptionResponse>"
    )


def renewed(now: datetime, lifetime: float) -> Answer:
    """Of Renew."""
    return envelope(
        f"<wsnt:RenewResponse><wsnt:TerminationTime>{_time(now + timedelta(seconds=lifetime))}</wsnt:TerminationTime>"
        f"<wsnt:CurrentTime>{_time(now)}</wsnt:CurrentTime></wsnt:RenewResponse>"
    )


def pulled(notifications: Sequence[str], now: datetime) -> Answer:
    """Of PullMessages."""
    return envelope(
        f"<tev:PullMessagesResponse><tev:CurrentTime>{_time(now)}</tev:CurrentTime><tev:TerminationTime>"
        f"{_time(now + timedelta(seconds=60))}</tev:TerminationTime>{''.join(notifications)}</tev:PullMessagesResponse>"
    )


def notification(topic: str, source: str, item: str, state: bool, operation: str, now: datetime) -> str:
    """One event."""
    kind = {"digitalinput": "InputToken", "relay": "RelayToken"}.get(topic.rpartition("/")[2].lower(), "Source")
    value = ("active" if state else "inactive") if kind == "RelayToken" else str(state).lower()
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{escape(topic)}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{_time(now)}" PropertyOperation="{operation}">'
        f"<tt:Source><tt:SimpleItem Name={quoteattr(kind)} Value={quoteattr(source)}/></tt:Source>"
        f"<tt:Data><tt:SimpleItem Name={quoteattr(item)} Value={quoteattr(value)}/></tt:Data></tt:Message>"
        "</wsnt:Message></wsnt:NotificationMessage>"
    )


def seconds(duration: str) -> float:
    """Of an xsd:duration without years and months."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", duration.strip())
    days, hours, minutes, rest = found.groups() if found else (None, None, None, None)
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0)


def _times(now: datetime, lifetime: float) -> str:
    return (
        f"<wsnt:CurrentTime>{_time(now)}</wsnt:CurrentTime>"
        f"<wsnt:TerminationTime>{_time(now + timedelta(seconds=lifetime))}</wsnt:TerminationTime>"
    )


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
