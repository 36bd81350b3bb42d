"""What Schemathesis has to know of the documents besides what they say."""

import schemathesis


@schemathesis.serializer("application/secevent+jwt")
def security_event(_, value):
    """Security event tokens (RFC 8935 section 2) are text."""
    return value if isinstance(value, bytes) else str(value).encode()
