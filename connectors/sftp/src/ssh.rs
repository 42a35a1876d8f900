//! Opens one SSH connection: dial through the egress rule, check the host key, sign in; and starts SFTP on it.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

use lockgate_connector_api::{Context, Error, Host, Kind, Proxy, Secret, files::late};
use russh::{
    Channel, MethodKind, Names, Preferred, Signer,
    client::{self, AuthResult, DisconnectReason, Handle, KeyboardInteractiveAuthResponse as Asked, Msg},
    compression,
    keys::{
        Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, agent::AgentIdentity,
        signature::Signer as _, ssh_encoding::Encode as _, ssh_key::Signature,
    },
};
use tokio::time::Instant;

use crate::{
    algorithms::{self, Algorithms},
    config::{Key, Settings, SignIn},
    connection::Connection,
    failure::{self, Failure},
    host_key::HostKey,
    leash::{Leash, Leashed},
};

/// How long a connection may be silent before it is asked, and how often in vain.
const ASK_AFTER: Duration = Duration::from_secs(15);
const ASKED_IN_VAIN_MAX: usize = 3;
/// Bytes a server may send before we take them in: more than is ever asked for at once, so that the
/// connection's own task never waits for a reader.
const WINDOW_BYTES: u32 = 8 << 20;
const CHANNEL_MESSAGES_MAX: usize = 1024;
/// Questions a server may ask in a keyboard-interactive sign-in.
const ROUNDS_MAX: usize = 4;

/// Why a connection ended, once it has.
pub(crate) type Ended = Arc<OnceLock<Error>>;

/// Checks the server's key.
pub(crate) struct Trust {
    /// None when the server is only asked for its key; then nothing is trusted.
    expected: Option<HostKey>,
    /// As a certificate must name it.
    host: String,
    shown: Arc<OnceLock<String>>,
    ended: Ended,
    /// Keys were exchanged once.
    is_exchanged: bool,
}

impl Trust {
    fn new(expected: Option<HostKey>, host: String, ended: &Ended) -> Self {
        Self { expected, host, shown: Arc::default(), ended: Arc::clone(ended), is_exchanged: false }
    }
}

impl client::Handler for Trust {
    type Error = Failure;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        let key = match (shown, &self.expected) {
            (PublicKeyOrCertificate::PublicKey { key, .. }, _) => key,
            (PublicKeyOrCertificate::Certificate(certificate), Some(expected)) => {
                return expected.check(certificate, &self.host).map(|()| true).map_err(|why| {
                    let text = "the server did not prove its identity: its certificate is not one that the account's host CA has signed for it";
                    let error = Error::new(Kind::Identity, "sftp-host-certificate", text);
                    Failure::Told(error.with_private(format!("`{}`: {why}", certificate.key_id().escape_debug())))
                });
            }
            // They are not asked for.
            (PublicKeyOrCertificate::Certificate(_), None) => return Ok(false),
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let _ = self.shown.set(fingerprint.clone());
        match &self.expected {
            Some(expected) if expected.is(key) => Ok(true),
            Some(_) => Err(Failure::Told(
                Error::new(
                    Kind::Identity,
                    "sftp-host-key",
                    "the server did not prove its identity: it has another host key than the account's `identity`",
                )
                .with_private(format!("it shows the key `{fingerprint}` ({})", key.algorithm())),
            )),
            None => Ok(false),
        }
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut client::Session) -> Result<(), Failure> {
        // Once is enough, and only the first exchange tells it.
        if !std::mem::replace(&mut self.is_exchanged, true) && algorithms::can_be_cut(names) {
            return Err(Failure::Told(Error::new(
                Kind::Identity,
                "sftp-algorithms",
                "the server has no strict key exchange, and no ciphers that are safe without it (AES in GCM or CTR mode)",
            )));
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Failure>) -> Result<(), Failure> {
        let error = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                failure::broken().with_private(info.message.chars().take(1024).collect::<String>())
            }
            DisconnectReason::Error(failure) => failure.into(),
        };
        // The first one is the cause.
        let _ = self.ended.set(error);
        Ok(())
    }
}

/// The library's configuration for a server that is to show that.
pub(crate) fn configuration(expected: &HostKey, algorithms: Algorithms) -> Arc<client::Config> {
    configured(expected.algorithms(), expected.certified(), algorithms)
}

fn configured(keys: Vec<Algorithm>, certified: Vec<Algorithm>, algorithms: Algorithms) -> Arc<client::Config> {
    let Algorithms { kex, ciphers, macs } = algorithms;
    Arc::new(client::Config {
        client_id: russh::SshId::Standard(Cow::Borrowed("SSH-2.0-lockgate")),
        window_size: WINDOW_BYTES,
        maximum_packet_size: 32 << 10,
        channel_buffer_size: CHANNEL_MESSAGES_MAX,
        keepalive_interval: Some(ASK_AFTER),
        keepalive_max: ASKED_IN_VAIN_MAX,
        preferred: Preferred {
            kex: Cow::Owned(kex),
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Owned(certified),
            cipher: Cow::Owned(ciphers),
            mac: Cow::Owned(macs),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        ..client::Config::default()
    })
}

/// Opens a connection and signs in, by the deadline.
pub(crate) async fn open(
    cx: &Context,
    settings: &Settings,
    config: Arc<client::Config>,
    deadline: Instant,
) -> Result<Connection, Error> {
    let Settings { host, port, proxy, .. } = settings;
    let (stream, route) = cx.egress.dial(host, *port, proxy.as_ref(), deadline.into_std()).await?;
    let (stream, leash) = Leashed::new(stream);
    let opening = async {
        let ended = Ended::default();
        let trust = Trust::new(Some(settings.host_key.clone()), settings.host.to_string(), &ended);
        let told = |error: russh::Error| ended.get().cloned().unwrap_or_else(|| failure::of(&error));
        let mut handle = client::connect_stream(config, stream, trust).await?;
        sign_in(&mut handle, settings).await.map_err(|failure| match failure {
            Failure::Ssh(error) => told(error),
            Failure::Told(error) => error,
        })?;
        Ok((handle, Arc::clone(&ended)))
    };
    match tokio::time::timeout_at(deadline, opening).await.unwrap_or_else(|_| Err(late())) {
        Ok((handle, ended)) => Ok(Connection::new(handle, ended, route, leash)),
        Err(error) => Err(greeted(&leash, error)),
    }
}

/// Starts SFTP on a connection.
pub(crate) async fn channel(connection: &Connection) -> Result<Channel<Msg>, Error> {
    let told = |error: russh::Error| connection.ended.get().cloned().unwrap_or_else(|| failure::of(&error));
    let channel = connection.handle.channel_open_session().await.map_err(told)?;
    channel.request_subsystem(true, "sftp").await.map_err(told)?;
    Ok(channel)
}

/// A server of another protocol is told by its greeting, however the connection ended then.
fn greeted(leash: &Leash, error: Error) -> Error {
    match leash.foreign_greeting() {
        None => error,
        Some(greeting) => failure::of(&russh::Error::Version).with_private(greeting),
    }
}

/// The fingerprint of the key that a server shows. Nobody signs in.
pub(crate) async fn fingerprint(
    cx: &Context,
    (host, port): (&Host, u16),
    proxy: Option<&Proxy>,
    deadline: Instant,
) -> Result<String, Error> {
    let (stream, _) = cx.egress.dial(host, port, proxy, deadline.into_std()).await?;
    let (stream, leash) = Leashed::new(stream);
    let trust = Trust::new(None, String::new(), &Ended::default());
    let shown = Arc::clone(&trust.shown);
    // Old algorithms are as good here: nothing is trusted, and a person compares the key.
    let config = configured(HostKey::any(), Vec::new(), Algorithms::admitting(&algorithms::OLD.join(" ")));
    // Ends with the server's key refused, or earlier.
    let asking = client::connect_stream(config, stream, trust);
    let error = match tokio::time::timeout_at(deadline, asking).await {
        Ok(asked) => asked.err().map_or_else(failure::broken, Error::from),
        Err(_) => late(),
    };
    shown.get().cloned().ok_or_else(|| greeted(&leash, error))
}

async fn sign_in(handle: &mut Handle<Trust>, settings: &Settings) -> Result<(), Failure> {
    let user = settings.username.as_str();
    let outcome = match &settings.sign_in {
        SignIn::Key(key) => by_key(handle, user, key).await?,
        SignIn::Password(password) => by_password(handle, user, password).await?,
        SignIn::Both(key, password) => match by_key(handle, user, key).await? {
            AuthResult::Failure { partial_success: true, .. } => by_password(handle, user, password).await?,
            outcome => outcome,
        },
    };
    if outcome.success() { Ok(()) } else { Err(not_accepted(handle, &outcome)) }
}

async fn by_key(handle: &mut Handle<Trust>, user: &str, key: &Key) -> Result<AuthResult, Failure> {
    if let Some(certificate) = key.certificate.clone() {
        // The library's own way would name an RSA certificate by the name that stands for SHA-1.
        let hash = key.key.algorithm().is_rsa().then_some(HashAlg::Sha512);
        return handle.authenticate_certificate_with(user, certificate, hash, &mut Certified(&key.key)).await;
    }
    let key = signer(handle, &key.key).await?;
    Ok(handle.authenticate_publickey(user, key).await?)
}

async fn by_password(handle: &mut Handle<Trust>, user: &str, password: &Secret) -> Result<AuthResult, Failure> {
    let outcome = handle.authenticate_password(user, password.expose()).await?;
    match &outcome {
        // Many servers take passwords by this way alone.
        AuthResult::Failure { remaining_methods, partial_success: false }
            if remaining_methods.contains(&MethodKind::KeyboardInteractive)
                && !remaining_methods.contains(&MethodKind::Password) =>
        {
            answer(handle, user, password).await
        }
        _ => Ok(outcome),
    }
}

/// Signs what a server wants signed by the key of a certificate.
struct Certified<'a>(&'a PrivateKey);

impl Signer for Certified<'_> {
    type Error = Failure;

    /// The signature follows what was signed (RFC 4252 §7). That of an RSA key is made with SHA-512 (RFC 8332).
    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        mut message: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let signature: Signature = self.0.try_sign(&message).map_err(russh::Error::from)?;
        signature.encode_prefixed(&mut message).map_err(russh::Error::from)?;
        Ok(message)
    }
}

/// An RSA key signs with SHA-2 or not at all.
async fn signer(handle: &Handle<Trust>, key: &Arc<PrivateKey>) -> Result<PrivateKeyWithHashAlg, Failure> {
    let hash = match key.algorithm().is_rsa() {
        false => None,
        true => match handle.best_supported_rsa_hash().await? {
            Some(Some(hash)) => Some(hash),
            // It does not say what it takes (RFC 8308).
            None => Some(HashAlg::Sha256),
            Some(None) => {
                return Err(Failure::Told(Error::new(
                    Kind::Identity,
                    "sftp-algorithms",
                    "the server takes RSA keys with SHA-1 signatures only, which we never make (use an Ed25519 key)",
                )));
            }
        },
    };
    Ok(PrivateKeyWithHashAlg::new(Arc::clone(key), hash))
}

/// Answers the one question whose answer is hidden with the password (RFC 4256).
async fn answer(handle: &mut Handle<Trust>, user: &str, password: &Secret) -> Result<AuthResult, Failure> {
    let mut asked = handle.authenticate_keyboard_interactive_start(user, None).await?;
    let mut is_answered = false;
    for _ in 0..ROUNDS_MAX {
        let prompts = match asked {
            Asked::Success => return Ok(AuthResult::Success),
            Asked::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            Asked::InfoRequest { prompts, .. } => prompts,
        };
        let answers = match prompts.as_slice() {
            // Some servers tell something before or after (§3.2).
            [] => Vec::new(),
            [prompt] if !prompt.echo && !is_answered => vec![password.expose().to_owned()],
            questions => {
                let questions: Vec<String> =
                    questions.iter().map(|one| one.prompt.escape_debug().to_string()).collect();
                return Err(Failure::Told(more_asked().with_private(format!("it asks: {}", questions.join(", ")))));
            }
        };
        is_answered |= !answers.is_empty();
        asked = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Err(Failure::Told(more_asked()))
}

/// A question whose answer is shown, or a second one, is not the one for the password.
fn more_asked() -> Error {
    Error::new(
        Kind::Authentication,
        "sftp-questions",
        "the server asks for more than a password, which nobody is there to answer (use a key)",
    )
}

fn not_accepted(handle: &Handle<Trust>, outcome: &AuthResult) -> Failure {
    // The library tells a connection that broke as a refusal; its own cause is the truth then.
    if handle.is_closed() {
        return Failure::Ssh(russh::Error::Disconnect);
    }
    let text = match outcome {
        AuthResult::Failure { partial_success: true, .. } => {
            "the server accepts this and wants more (setting `auth`: a key and a password)"
        }
        _ => "the server does not accept the account's user name with that key, certificate or password",
    };
    let error = Error::new(Kind::Authentication, "sftp-sign-in", text);
    Failure::Told(match outcome {
        AuthResult::Failure { remaining_methods, .. } => error.with_private(format!(
            "the server takes: {}",
            remaining_methods.iter().map(<&str>::from).collect::<Vec<_>>().join(", ")
        )),
        AuthResult::Success => error,
    })
}
