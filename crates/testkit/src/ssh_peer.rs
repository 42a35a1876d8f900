//! Real SFTP servers as processes of their own: OpenSSH and ProFTPD (`mod_sftp`), on loopback, with
//! keys and files in a folder that goes with them.
//!
//! They are installed by `./test`. Where one is missing, a test says `skipped` outside CI and fails
//! in CI ([`Openssh::start`] and [`Proftpd::start`] give none then).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    free_port,
    process::{Running, installed, listening},
    temp_dir,
};

/// What is wrong with the way a server proves itself, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: its own key, modern algorithms.
    Own,
    /// The key of another server.
    OtherKey,
    /// Its own key, with algorithms of the last century alone: `ssh-rsa`, group 1, CBC, SHA-1.
    OldAlgorithms,
}

impl Shown {
    /// All that must be refused.
    pub const BAD: [Shown; 2] = [Shown::OtherKey, Shown::OldAlgorithms];
}

/// Keys, made once by `ssh-keygen`: servers of one test show the same.
#[derive(Debug)]
pub struct SshKeys {
    dir: tempfile::TempDir,
}

impl SshKeys {
    /// New keys; `user_ed25519` and `user_unknown` are sealed with that passphrase.
    pub fn new(passphrase: &str) -> Self {
        let keys = Self { dir: temp_dir() };
        for (name, kind, seal) in [
            ("host_ed25519", "ed25519", ""),
            ("host_rsa", "rsa", ""),
            ("host_other", "ed25519", ""),
            ("host_other_rsa", "rsa", ""),
            ("user_ed25519", "ed25519", passphrase),
            ("user_plain", "ed25519", ""),
            ("user_rsa", "rsa", ""),
            ("user_unknown", "ed25519", passphrase),
            ("ca", "ed25519", ""),
            ("ca_other", "ed25519", ""),
            ("ca_rsa", "rsa", ""),
        ] {
            let mut keygen = Command::new("ssh-keygen");
            // `-m PEM` where it has a meaning: ProFTPD reads no other.
            keygen.args(["-q", "-t", kind, "-N", seal, "-m", "PEM", "-f"]).arg(keys.path(name));
            if kind == "rsa" {
                keygen.args(["-b", "2048"]);
            }
            run(&mut keygen);
        }
        keys
    }

    /// A certificate of a public key by one of the CAs (`ca`, `ca_other`, `ca_rsa`): a file. Further
    /// arguments of `ssh-keygen` say for whom and when.
    pub fn certified(&self, ca: &str, name: &str, more: &[&str]) -> PathBuf {
        let dir = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        let public = dir.join("key.pub");
        fs::copy(self.path(&format!("{name}.pub")), &public).unwrap();
        run(Command::new("ssh-keygen")
            .args(["-q", "-I", "practice"])
            .args(more)
            .arg("-s")
            .arg(self.path(ca))
            .arg(&public));
        dir.join("key-cert.pub")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A private key's text.
    pub fn private(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A private key's file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path(name)
    }

    /// A public key: kind and base64.
    pub fn public(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// A key's fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self, name: &str) -> String {
        let output = Command::new("ssh-keygen").arg("-lf").arg(self.path(&format!("{name}.pub"))).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap().to_owned()
    }
}

/// OpenSSH's `sshd`.
#[derive(Debug)]
pub struct Openssh {
    dir: tempfile::TempDir,
    port: u16,
    _process: Running,
}

impl Openssh {
    /// Starts one; none where it is not installed.
    pub fn start(keys: &SshKeys, shown: Shown) -> Option<Self> {
        Self::start_with(keys, shown, usual)
    }

    /// Starts one without the extension that replaces a file in one step, as older servers are.
    pub fn start_plain(keys: &SshKeys) -> Option<Self> {
        let subsystem = |dir: &Path| format!("internal-sftp -d {} -P posix-rename", dir.join("files").display());
        Self::start_with(keys, Shown::Own, subsystem)
    }

    /// Starts one that takes files and allows nothing else: no look, no rename, no removal.
    pub fn start_drop_box(keys: &SshKeys) -> Option<Self> {
        let subsystem = |dir: &Path| format!("internal-sftp -d {} -p open,write,close", dir.join("files").display());
        Self::start_with(keys, Shown::Own, subsystem)
    }

    /// Starts one that logs what happens to files as well ([`Openssh::log`]); its SFTP server is a
    /// program of its own then, which a session takes longer to start.
    pub fn start_telling(keys: &SshKeys, shown: Shown) -> Option<Self> {
        Self::start_with(keys, shown, telling)
    }

    /// Starts one with further lines of its configuration, which hold before the usual ones.
    pub fn start_adding(keys: &SshKeys, more: &str) -> Option<Self> {
        Self::started(keys, Shown::Own, usual, more, None)
    }

    /// Starts one that asks for a password by PAM (keyboard-interactive), and further lines as
    /// [`Openssh::start_adding`]. With `twice` it asks for a new one as well. It must be started by root, who sees
    /// other PAM services than this machine's then.
    pub fn start_asking(keys: &SshKeys, password: &str, twice: bool, more: &str) -> Option<Self> {
        if Owner::is_root() {
            let more = format!("{more}UsePAM yes\nKbdInteractiveAuthentication yes\nPermitRootLogin yes\n");
            return Self::started(keys, Shown::Own, usual, &more, Some((password, twice)));
        }
        crate::skip("a test with OpenSSH and PAM", "it must be started by root");
        None
    }

    fn start_with(keys: &SshKeys, shown: Shown, subsystem: impl FnOnce(&Path) -> String) -> Option<Self> {
        Self::started(keys, shown, subsystem, "", None)
    }

    fn started(
        keys: &SshKeys,
        shown: Shown,
        subsystem: impl FnOnce(&Path) -> String,
        more: &str,
        asks: Option<(&str, bool)>,
    ) -> Option<Self> {
        let sshd = installed("sshd")?;
        let (dir, port) = (temp_dir(), free_port());
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("files")).unwrap();
        let users = ["user_ed25519", "user_plain", "user_rsa"].map(|name| keys.public(name));
        fs::write(at("authorized"), users.join("\n")).unwrap();
        let (host, host_rsa) = match shown {
            Shown::Own | Shown::OldAlgorithms => ("host_ed25519", "host_rsa"),
            Shown::OtherKey => ("host_other", "host_other_rsa"),
        };
        let old = match shown {
            Shown::OldAlgorithms => {
                "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers aes128-cbc\nMACs hmac-sha1\n"
            }
            _ => "",
        };
        let config = format!(
            "{more}ListenAddress 127.0.0.1:{port}\nHostKey {}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nSubsystem sftp {}\nAllowTcpForwarding no\n\
             X11Forwarding no\nPermitTTY no\nMaxStartups 500\nMaxSessions 100\nLogLevel DEBUG1\n{old}",
            keys.path(host).display(),
            keys.path(host_rsa).display(),
            at("authorized").display(),
            subsystem(dir.path()),
        );
        fs::write(at("config"), config).unwrap();
        // sshd insists on it when it is root, and cannot make it when it is not.
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = match asks {
            None => Command::new(sshd),
            Some((password, twice)) => asking(dir.path(), &sshd, password, twice),
        };
        command.arg("-D").arg("-f").arg(at("config")).arg("-E").arg(at("log"));
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        listening(port, &at("log"));
        Some(Self { dir, port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder in which sessions begin.
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// The user who may sign in: the one who runs the test.
    pub fn user() -> String {
        let output = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// How often something stands in its logs.
    pub fn log(&self, of: &str) -> usize {
        ["log", "sftp.log"].iter().map(|name| count(&self.dir.path().join(name), of)).sum()
    }
}

/// ProFTPD with `mod_sftp`, for users with passwords and keys, each in a folder that is its root.
#[derive(Debug)]
pub struct Proftpd {
    dir: tempfile::TempDir,
    port: u16,
    _process: Running,
}

impl Proftpd {
    /// Its one user.
    pub const USER: &str = "ftpuser";

    /// Starts one whose user has that password; none where it is not installed.
    pub fn start(keys: &SshKeys, password: &str, shown: Shown) -> Option<Self> {
        Self::start_with(keys, password, shown, "")
    }

    /// Starts one without the extensions of OpenSSH that replace a file in one step and write it to
    /// disk, as older servers are.
    pub fn start_plain(keys: &SshKeys, password: &str) -> Option<Self> {
        Self::start_with(keys, password, Shown::Own, "SFTPExtensions -posixRename -fsync\n")
    }

    fn start_with(keys: &SshKeys, password: &str, shown: Shown, more: &str) -> Option<Self> {
        let proftpd = installed("proftpd")?;
        let (dir, port) = (temp_dir(), free_port());
        let at = |name: &str| dir.path().join(name);
        let Owner { user, group, .. } = Owner::of_files(dir.path(), Self::USER, password);
        let user_keys = Command::new("ssh-keygen").arg("-ef").arg(keys.path("user_rsa.pub")).output().unwrap();
        fs::write(at(&format!("{}.keys", Self::USER)), user_keys.stdout).unwrap();
        let host = if shown == Shown::OtherKey { "host_other_rsa" } else { "host_rsa" };
        private(&at("host"), &keys.private(host));
        let old = match shown {
            Shown::OldAlgorithms => {
                "SFTPKeyExchanges diffie-hellman-group1-sha1\nSFTPCiphers aes128-cbc\nSFTPDigests hmac-sha1\n"
            }
            _ => "",
        };
        let here = dir.path().display();
        let config = format!(
            "ModulePath /usr/lib/proftpd\nLoadModule mod_sftp.c\nServerType standalone\nServerName peer\n\
             DefaultAddress 127.0.0.1\nSocketBindTight on\nUseIPv6 off\nPort {port}\nUser {user}\nGroup {group}\n\
             PidFile {here}/pid\nScoreboardFile {here}/scoreboard\nDelayTable none\nSystemLog {here}/log\n\
             TransferLog none\nWtmpLog off\nAuthUserFile {here}/users\nAuthOrder mod_auth_file.c\n\
             RequireValidShell off\nDefaultRoot ~\nAllowOverwrite on\nUseReverseDNS off\nMaxLoginAttempts 3\n\
             SFTPEngine on\nSFTPLog {here}/sftp.log\nSFTPHostKey {here}/host\n\
             SFTPAuthorizedUserKeys file:{here}/%u.keys\n\
             LogFormat all \"%m %r\"\nExtendedLog {here}/commands ALL all\n{old}{more}"
        );
        fs::write(at("config"), config).unwrap();
        let mut command = Command::new(proftpd);
        command.arg("-n").arg("-q").arg("-c").arg(at("config"));
        let log = fs::File::create(at("out")).unwrap();
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        listening(port, &at("out"));
        Some(Self { dir, port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user's folder.
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// How often something stands in its log of commands, which has attempts to sign in too.
    pub fn log(&self, of: &str) -> usize {
        count(&self.dir.path().join("commands"), of)
    }
}

/// Whose files a server's are.
pub(crate) struct Owner {
    pub uid: String,
    pub gid: String,
    pub user: String,
    pub group: String,
    /// Of the password, as `crypt` makes it.
    pub hash: String,
}

impl Owner {
    /// Whether the test is run by root.
    pub fn is_root() -> bool {
        let output = Command::new("id").arg("-u").output().unwrap();
        output.stdout.trim_ascii() == b"0"
    }

    /// Makes the folder `files` and the list `users`, whose one user has it for a home. Root serves as
    /// nobody, anybody else as themselves.
    pub fn of_files(dir: &Path, name: &str, password: &str) -> Self {
        let files = dir.join("files");
        fs::create_dir(&files).unwrap();
        let id = |what: &[&str]| {
            let output = Command::new("id").args(what).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let who: &[&str] = if id(&["-u"]) == "0" { &["nobody"] } else { &[] };
        let of = |flag: &str| id(&[&[flag], who].concat());
        let hash = Command::new("openssl").args(["passwd", "-6", "-salt", "peers", password]).output().unwrap();
        let hash = String::from_utf8(hash.stdout).unwrap().trim().to_owned();
        let owner = Self { uid: of("-u"), gid: of("-g"), user: of("-un"), group: of("-gn"), hash };
        let Self { uid, gid, hash, .. } = &owner;
        if !who.is_empty() {
            fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
            run(Command::new("chown").arg(format!("{uid}:{gid}")).arg(&files));
        }
        private(&dir.join("users"), &format!("{name}:{hash}:{uid}:{gid}::{}:/bin/sh\n", files.display()));
        owner
    }
}

/// A subsystem whose sessions begin in the server's files.
fn usual(dir: &Path) -> String {
    format!("internal-sftp -d {}", dir.join("files").display())
}

/// A server that sees PAM services of ours: it asks for a password, which a script compares.
fn asking(dir: &Path, sshd: &Path, password: &str, twice: bool) -> Command {
    let (services, check) = (dir.join("pam.d"), dir.join("check"));
    fs::create_dir(&services).unwrap();
    executable(&check, &format!("#!/bin/sh\n[ \"$(tr -d '\\000')\" = '{password}' ]\n"));
    // A password that has expired is asked for anew.
    let account = if twice { "pam_debug.so acct=new_authtok_reqd" } else { "pam_permit.so" };
    let stack = format!(
        "auth required pam_exec.so expose_authtok quiet {}\nauth required pam_permit.so\naccount required {account}\n\
         password required pam_pwhistory.so\nsession required pam_permit.so\n",
        check.display()
    );
    fs::write(services.join("sshd"), stack).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/pam.d && exec \"$@\""]).arg(services).arg(sshd);
    command
}

/// A subsystem that appends to `sftp.log`.
fn telling(dir: &Path) -> String {
    let places = ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"];
    let server = places.into_iter().find(|path| Path::new(path).is_file()).expect("sshd comes with sftp-server");
    let (script, files, log) = (dir.join("sftp.sh"), dir.join("files"), dir.join("sftp.log"));
    let text = format!("#!/bin/sh\nexec {server} -e -l INFO -d {} 2>>{}\n", files.display(), log.display());
    executable(&script, &text);
    script.display().to_string()
}

pub(crate) fn count(log: &Path, of: &str) -> usize {
    fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).matches(of).count()).unwrap_or(0)
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

pub(crate) fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
