//! Settings and secrets by which such a connector is declared; [`super::Settings`] reads them.

use crate::Field;

/// How requests sign in.
pub const AUTH: Field = Field::choice(
    "auth",
    &["none", "basic", "digest", "bearer", "oauth2", "header"],
    "How requests sign in. A client certificate comes on top of any of them.",
)
.default("none");
/// User name.
pub const USERNAME: Field = Field::text("username", "User name.").when("auth", &["basic", "digest"]);
/// Address of the token endpoint.
pub const TOKEN_URL: Field = Field::text(
    "token_url",
    "Address of the token endpoint (OAuth 2.0 client credentials), such as `https://login.example.com/oauth2/token`. It proves itself as the account's server does, and passes the same check of addresses.",
)
.when("auth", &["oauth2"]);
/// Id of the client at the token endpoint.
pub const CLIENT_ID: Field =
    Field::text("client_id", "Id of the client at the token endpoint.").when("auth", &["oauth2"]);
/// How the client proves itself there.
pub const CLIENT_AUTH: Field = Field::choice(
    "client_auth",
    &["basic", "post", "certificate"],
    "How the client proves itself at the token endpoint: its secret by Basic authentication or in the content, or the account's client certificate.",
)
.default("basic")
.only_when("auth", &["oauth2"]);
/// Scopes to ask for.
pub const SCOPE: Field = Field::text("scope", "Scopes to ask for, between spaces.").only_when("auth", &["oauth2"]);
/// For whom the token is to be.
pub const AUDIENCE: Field = Field::text("audience", "For whom the token is to be, where the endpoint wants to know.")
    .only_when("auth", &["oauth2"]);
/// Name of the header that carries a key.
pub const HEADER_NAME: Field =
    Field::text("header_name", "Name of the header that carries the key, such as `x-api-key`.")
        .when("auth", &["header"]);
/// Requests in flight at once.
pub const REQUESTS_MAX: Field = Field::integer(
    "requests_max",
    3,
    1024,
    "Requests in flight at once; further calls wait. Two of them are kept free of calls that stream to the next call, which may need one and pass its own answer on.",
)
.default("64");
/// Password.
pub const PASSWORD: Field = Field::secret("password", "Password.").when("auth", &["basic", "digest"]);
/// Secret of the client.
pub const CLIENT_SECRET: Field =
    Field::secret("client_secret", "Secret of the client. None where `client_auth` is `certificate`.")
        .only_when("auth", &["oauth2"]);
/// Bearer token.
pub const TOKEN: Field = Field::secret("token", "Bearer token.").when("auth", &["bearer"]);
/// Value of the header that carries a key.
pub const HEADER_VALUE: Field = Field::secret("header_value", "Value of that header.").when("auth", &["header"]);
