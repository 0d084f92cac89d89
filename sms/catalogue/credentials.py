"""The address of a service's provider and what signs in to it. Called by dispatch, and by the connection test."""

from dataclasses import dataclass, field

from sms.models import AuthKind, Service
from sms.webex.auth import Jwt, ServiceKey
from sms.webex.origin import must_match


@dataclass(frozen=True, slots=True)
class ProviderConnection:
    """How to reach a service's provider: what a poster thread needs to open a client of its own. Never printed: it holds secrets."""

    base_url: str
    auth_kind: str
    api_key: str = field(repr=False)
    jwt_service_id: str
    jwt_secret: str = field(repr=False)
    secrets_origin: str

    def credentials(self) -> ServiceKey | Jwt:
        """Fresh ones for each client, since a JWT belongs to one thread. Raises ValueError where they cannot be used."""
        if self.auth_kind == AuthKind.JWT:
            return Jwt(self.jwt_service_id, self.jwt_secret, self.secrets_origin)
        return ServiceKey(self.api_key, self.secrets_origin)


def connection_of(service: Service) -> ProviderConnection:
    """Address and credentials, decrypted for this process only. Raises SecretElsewhere where they were typed for another address."""
    must_match(service.secrets_origin, service.provider_url)
    return ProviderConnection(
        service.provider_url,
        service.auth_kind,
        service.api_key,
        service.jwt_service_id,
        service.jwt_secret,
        service.secrets_origin,
    )
