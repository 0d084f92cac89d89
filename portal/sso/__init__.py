"""Single sign-on at an OpenID Connect issuer: docs/operators/single-sign-on.md."""
