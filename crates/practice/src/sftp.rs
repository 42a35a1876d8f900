//! Serves the practice files over SFTP: a new host key, user, password and user key at each start.

use std::{
    collections::HashMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use russh::{
    Channel, ChannelId, MethodKind, MethodSet,
    keys::{Algorithm, HashAlg, PrivateKey, PublicKey, key::safe_rng, ssh_key::LineEnding},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use russh_sftp::protocol::{
    Attrs, Data, File as Entry, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time,
};

use crate::files::{Files, Found, Refused, plain};

/// Connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;
/// Files and folders that one session may hold open.
const OPEN_MAX: usize = 64;
/// Longest key exchange and sign-in.
const SIGN_IN_MAX: Duration = Duration::from_secs(10);
/// A session that says nothing for longer is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// Bytes of one read.
const READ_BYTES_MAX: u32 = 32 << 10;
/// Folders that are there from the start.
const FOLDERS: [&str; 2] = ["export", "orders"];
/// The one user.
const USER: &str = "practice";

/// A running practice file server; it stops when dropped.
pub struct Sftp {
    addr: SocketAddr,
    host_key: String,
    password: String,
    private_key: String,
    files: Arc<Mutex<Files>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// Where it listens; no password and no key.
impl fmt::Debug for Sftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sftp").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Sftp {
    /// Starts the server on a loopback address; port 0 takes a free one. `now_s` tells seconds since
    /// the epoch, for the times of files.
    ///
    /// # Errors
    /// When the address is not loopback or cannot be bound, or this machine gives no random numbers.
    pub async fn start(addr: SocketAddr, now_s: fn() -> u32) -> io::Result<Self> {
        if !addr.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "practice endpoints listen on loopback only"));
        }
        let key = || PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(io::Error::other);
        let (host, user) = (key()?, key()?);
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let password = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let private_key = user.to_openssh(LineEnding::LF).map_err(io::Error::other)?.to_string();
        let host_key = host.public_key().fingerprint(HashAlg::Sha256).to_string();
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let files = Arc::<Mutex<Files>>::default();
        for folder in FOLDERS {
            held(&files).make_folder(folder).map_err(|_| io::Error::other("no practice folders"))?;
        }
        let (stop, stopped) = watch::channel(false);
        let door = Door {
            password: password.clone().into(),
            user_key: Arc::new(user.public_key().clone()),
            files: Arc::clone(&files),
            channels: HashMap::new(),
            now_s,
        };
        let config = server::Config {
            methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
            auth_rejection_time: Duration::from_millis(200),
            auth_rejection_time_initial: Some(Duration::ZERO),
            inactivity_timeout: Some(IDLE_MAX),
            max_auth_attempts: 3,
            keys: vec![host],
            ..server::Config::default()
        };
        let serving = tokio::spawn(serve(listener, Arc::new(config), door, stopped));
        Ok(Self { addr, host_key, password, private_key, files, stop, serving })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The fingerprint of its host key: `SHA256:…`.
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The one user's name.
    pub fn username(&self) -> &str {
        USER
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The user's private key in OpenSSH format, instead of the password.
    pub fn private_key(&self) -> &str {
        &self.private_key
    }

    /// All files: path and size in bytes, by path.
    pub fn files(&self) -> Vec<(String, u64)> {
        held(&self.files).all()
    }

    /// The content of a file.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        match held(&self.files).find(&plain(path)) {
            Ok(Found::File(file)) => Some(file.bytes.clone()),
            _ => None,
        }
    }

    /// Stops it: no new connections, and those open end at once.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // It can only fail by having ended already.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        // The sender goes as well, which ends every connection.
        self.serving.abort();
    }
}

fn held(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, config: Arc<server::Config>, door: Door, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = tokio::select! {
            () = told(&mut stopped) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, or the peer is gone already: neither is cured by haste.
                Err(_) => { time::sleep(Duration::from_millis(50)).await; continue }
            },
        };
        let (config, door, stopped) = (Arc::clone(&config), door.clone(), stopped.clone());
        connections.spawn(async move {
            let _permit = permit;
            // A practice peer has nobody to report a broken connection to.
            let _ = connection(stream, config, door, stopped).await;
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    config: Arc<server::Config>,
    door: Door,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), russh::Error> {
    stream.set_nodelay(true)?;
    let session = time::timeout(SIGN_IN_MAX, server::run_stream(config, stream, door)).await??;
    let handle = session.handle();
    tokio::select! {
        ended = session => ended,
        () = told(&mut stopped) => {
            // Told to leave; the session ends by that, or by having ended already.
            let _ = handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await;
            Ok(())
        }
    }
}

/// Ends when the server is to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that the one who could say it is gone.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Lets the one user in, to SFTP alone.
#[derive(Clone)]
struct Door {
    password: Arc<str>,
    user_key: Arc<PublicKey>,
    files: Arc<Mutex<Files>>,
    channels: HashMap<ChannelId, Arc<Mutex<Option<Channel<Msg>>>>>,
    now_s: fn() -> u32,
}

impl server::Handler for Door {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        // A password of 128 random bits on loopback: its comparison tells nothing in time.
        Ok(if user == USER && password == &*self.password { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let known = user == USER && key.public_key.key_data() == self.user_key.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.channels.is_empty() {
            self.channels.insert(channel.id(), Arc::new(Mutex::new(Some(channel))));
            reply.accept().await;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let channel = self.channels.get(&id).and_then(|c| c.lock().unwrap_or_else(PoisonError::into_inner).take());
        match channel.filter(|_| name == "sftp") {
            Some(channel) => {
                session.channel_success(id)?;
                let desk = Desk { files: Arc::clone(&self.files), open: HashMap::new(), next: 0, now_s: self.now_s };
                russh_sftp::server::run(channel.into_stream(), desk).await;
                Ok(())
            }
            None => session.channel_failure(id),
        }
    }

    async fn channel_eof(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        session.close(id)
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.remove(&id);
        Ok(())
    }
}

/// What one session has open.
enum Open {
    File(String),
    /// Entries that are still to be given.
    Folder(Vec<Entry>),
}

/// Answers one session.
struct Desk {
    files: Arc<Mutex<Files>>,
    open: HashMap<String, Open>,
    next: u64,
    now_s: fn() -> u32,
}

impl Desk {
    fn keep(&mut self, id: u32, open: Open) -> Result<Handle, StatusCode> {
        if self.open.len() >= OPEN_MAX {
            return Err(StatusCode::Failure);
        }
        self.next += 1;
        let handle = self.next.to_string();
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn file(&self, handle: &str) -> Result<String, StatusCode> {
        match self.open.get(handle) {
            Some(Open::File(path)) => Ok(path.clone()),
            _ => Err(StatusCode::Failure),
        }
    }

    fn attributes(&self, id: u32, path: &str) -> Result<Attrs, StatusCode> {
        let files = held(&self.files);
        files.find(path).map(|found| Attrs { id, attrs: attributes(&found) }).map_err(code)
    }

    fn rename(&self, id: u32, from: &str, to: &str, replace: bool) -> Result<Status, StatusCode> {
        held(&self.files).rename(&plain(from), &plain(to), replace).map(|()| done(id)).map_err(code)
    }
}

impl russh_sftp::server::Handler for Desk {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        let mut version = Version::new();
        for extension in [POSIX_RENAME, FSYNC] {
            version.extensions.insert(extension.to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn open(&mut self, id: u32, path: String, how: OpenFlags, _: FileAttributes) -> Result<Handle, StatusCode> {
        let path = plain(&path);
        if how.contains(OpenFlags::CREATE) {
            let there = matches!(held(&self.files).find(&path), Ok(Found::File(_)));
            let new = how.contains(OpenFlags::EXCLUDE);
            if !there || new || how.contains(OpenFlags::TRUNCATE) {
                held(&self.files).create(&path, new, (self.now_s)()).map_err(code)?;
            }
        } else if !matches!(held(&self.files).find(&path).map_err(code)?, Found::File(_)) {
            return Err(StatusCode::Failure);
        }
        self.keep(id, Open::File(path))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        self.open.remove(&handle).map(|_| done(id)).ok_or(StatusCode::Failure)
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, length: u32) -> Result<Data, StatusCode> {
        let path = self.file(&handle)?;
        let files = held(&self.files);
        let Found::File(file) = files.find(&path).map_err(code)? else { return Err(StatusCode::Failure) };
        let rest = usize::try_from(offset).ok().and_then(|begin| file.bytes.get(begin..)).unwrap_or_default();
        let length = length.min(READ_BYTES_MAX) as usize;
        match rest.get(..length).unwrap_or(rest) {
            [] => Err(StatusCode::Eof),
            data => Ok(Data { id, data: data.to_vec() }),
        }
    }

    async fn write(&mut self, id: u32, handle: String, offset: u64, data: Vec<u8>) -> Result<Status, StatusCode> {
        let path = self.file(&handle)?;
        held(&self.files).write(&path, offset, &data, (self.now_s)()).map(|()| done(id)).map_err(code)
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        self.attributes(id, &plain(&path))
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        self.attributes(id, &plain(&path))
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        self.attributes(id, &self.file(&handle)?)
    }

    async fn setstat(&mut self, id: u32, path: String, _: FileAttributes) -> Result<Status, StatusCode> {
        // Owners and rights have no meaning here; clients set them as a matter of course.
        held(&self.files).find(&plain(&path)).map(|_| done(id)).map_err(code)
    }

    async fn fsetstat(&mut self, id: u32, handle: String, _: FileAttributes) -> Result<Status, StatusCode> {
        self.file(&handle).map(|_| done(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let entries = {
            let files = held(&self.files);
            let entries = files.list(&plain(&path)).map_err(code)?;
            entries.into_iter().rev().map(|(name, found)| Entry::new(name, attributes(&found))).collect()
        };
        self.keep(id, Open::Folder(entries))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let Some(Open::Folder(left)) = self.open.get_mut(&handle) else { return Err(StatusCode::Failure) };
        let files: Vec<Entry> = (0..100).map_while(|_| left.pop()).collect();
        if files.is_empty() { Err(StatusCode::Eof) } else { Ok(Name { id, files }) }
    }

    async fn remove(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        held(&self.files).remove(&plain(&path)).map(|()| done(id)).map_err(code)
    }

    async fn mkdir(&mut self, id: u32, path: String, _: FileAttributes) -> Result<Status, StatusCode> {
        held(&self.files).make_folder(&plain(&path)).map(|()| done(id)).map_err(code)
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        held(&self.files).remove_folder(&plain(&path)).map(|()| done(id)).map_err(code)
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        Ok(Name { id, files: vec![Entry::dummy(format!("/{}", plain(&path)))] })
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        Self::rename(self, id, &from, &to, false)
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, StatusCode> {
        let mut rest = data.as_slice();
        match request.as_str() {
            POSIX_RENAME => {
                let (from, to) = (text(&mut rest)?, text(&mut rest)?);
                Self::rename(self, id, &from, &to, true).map(Packet::Status)
            }
            FSYNC => self.file(&text(&mut rest)?).map(|_| Packet::Status(done(id))),
            _ => Err(StatusCode::OpUnsupported),
        }
    }
}

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";

fn text(rest: &mut &[u8]) -> Result<String, StatusCode> {
    let taken = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (text, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        Some((String::from_utf8(text.to_vec()).ok()?, after))
    };
    let (text, after) = taken().ok_or(StatusCode::BadMessage)?;
    *rest = after;
    Ok(text)
}

fn attributes(found: &Found<'_>) -> FileAttributes {
    let mut attributes = FileAttributes::empty();
    match found {
        Found::File(file) => {
            attributes.size = Some(file.bytes.len() as u64);
            attributes.permissions = Some(0o100_644);
            (attributes.atime, attributes.mtime) = (Some(file.modified_s), Some(file.modified_s));
        }
        Found::Folder => attributes.permissions = Some(0o040_755),
    }
    attributes
}

fn done(id: u32) -> Status {
    Status { id, status_code: StatusCode::Ok, error_message: String::new(), language_tag: String::new() }
}

fn code(refused: Refused) -> StatusCode {
    match refused {
        Refused::Missing => StatusCode::NoSuchFile,
        Refused::InTheWay | Refused::NotEmpty | Refused::Full => StatusCode::Failure,
    }
}
